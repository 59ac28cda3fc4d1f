import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CellValue } from '../../schemas/cell-column.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { type Cells, cellsOf, endOfKey, keyAt, noCells, rowAt, timesOf } from '../../schemas/cells.ts'
import { nameColumns } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import { answersOf } from '../../schemas/gauge-answer.ts'
import { joinKey } from '../../schemas/key.ts'
import { bucketOf } from '../../schemas/measures/buckets.ts'
import { type Message, toColumns } from '../../schemas/message.ts'
import { bucketStart, HOUR_MS, MINUTE_MS } from '../../schemas/time.ts'
import { compareUtf8 } from '../../schemas/utf8.ts'
import { defineView, type View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { rounded } from '../../serving/http/present.ts'
import { hostColumns } from '../sim/messages.ts'
import { nastyMessages, scores } from './nasty-messages.ts'

const scoreMinute = defineView(scores, { name: 'score_minute', key: ['lunch', 'group'], quantiles: true })
const CASES = [
  { dataset: host, view: serviceMinute },
  { dataset: host, view: hostMinute },
  { dataset: scores, view: scoreMinute },
]

function fold(view: View, messages: readonly Message[]): CellFold {
  const cells = new CellFold(view)
  cells.addAll(toColumns(CASES.find((one) => one.view === view)!.dataset, messages))
  return cells
}

/** What the fold must give, said as plainly as can be: one row of values a cell. */
function plainly({ dataset, view }: (typeof CASES)[number], messages: readonly Message[]): CellValue[][] {
  const names = nameColumns(dataset)
  const cells = new Map<string, { key: string[]; timeMs: number; of: Message[] }>()
  for (const message of messages) {
    const key = view.key.map((column) => message.names[names.indexOf(column)]!)
    const timeMs = bucketStart(message.timeMs, view.bucketMs)
    const id = `${joinKey(key)} ${timeMs}`
    cells.set(id, { key, timeMs, of: [...(cells.get(id)?.of ?? []), message] })
  }
  const sorted = [...cells.values()].sort(
    (a, b) => compareUtf8(joinKey(a.key), joinKey(b.key)) || a.timeMs - b.timeMs,
  )
  return sorted.map(({ key, timeMs, of }) => {
    const byName: { [name: string]: CellValue } = { time_stamp: timeMs, msg_num: of.length }
    view.key.forEach((name, k) => {
      byName[name] = key[k]!
    })
    view.gauges.forEach(({ gauge }) => {
      const g = dataset.gauges.findIndex((one) => one.name === gauge)
      const held = of.filter((message) => !Number.isNaN(message.gauges[g]))
      const best = [...held].sort(
        (a, b) =>
          b.gauges[g]! - a.gauges[g]! ||
          a.timeMs - b.timeMs ||
          (view.source === null ? 0 : compareUtf8(a.names.at(-1)!, b.names.at(-1)!)),
      )[0]
      byName[gauge] = held.reduce((sum, message) => sum + message.gauges[g]!, 0)
      byName[`${gauge}_num`] = held.length
      byName[`max_${gauge}`] = best?.gauges[g] ?? null
      byName[`max_${gauge}_time`] = best?.timeMs ?? null
      byName[`max_${gauge}_${view.source}`] = best?.names.at(-1) ?? null
      byName[`min_${gauge}`] = held.length === 0 ? null : Math.min(...held.map((m) => m.gauges[g]!))
      const buckets = new Map<number, number>()
      for (const m of held)
        buckets.set(bucketOf(m.gauges[g]!), (buckets.get(bucketOf(m.gauges[g]!)) ?? 0) + 1)
      byName[`${gauge}_sketch`] = [...buckets].sort(([a], [b]) => a - b)
    })
    return viewColumns(view).map(({ name }) => byName[name]!)
  })
}

/** Sums agree to 1e-9 relative, all else exactly. */
function expectSame(view: View, got: readonly CellValue[][], want: readonly CellValue[][]) {
  const sums = new Set(view.gauges.map(({ gauge }) => gauge))
  const isSum = viewColumns(view).map(({ name }) => sums.has(name))
  const exact = (rows: readonly CellValue[][]) => rows.map((row) => row.filter((_, c) => !isSum[c]))
  expect(exact(got)).toEqual(exact(want))
  got.forEach((row, i) => {
    row.forEach((value, c) => {
      const [a, b] = [value as number, want[i]![c] as number]
      if (isSum[c]) expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * Math.max(1e15, Math.abs(a)))
    })
  })
}

const rowsOf = (cells: Cells) => Array.from({ length: cells.length }, (_, i) => rowAt(cells, i))

for (const one of CASES) {
  const { dataset, view } = one

  test(`folding for ${view.name} gives what it should, in the published order`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), (messages) => {
        expectSame(view, rowsOf(fold(view, messages).cells()), plainly(one, messages))
      }),
    )
  })

  test(`cells of ${view.name} merge in any order and grouping`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), fc.nat(60), fc.boolean(), (messages, cut, turned) => {
        const parts = [messages.slice(0, cut), messages.slice(cut)].map((part) => fold(view, part).cells())
        const merged = new CellFold(view)
        for (const part of turned ? parts.reverse() : parts) merged.merge(part)
        merged.merge(noCells(view))
        expectSame(view, rowsOf(merged.cells()), plainly(one, messages))
        const known = [...merged.keys()].reduce((sum, key) => sum + key.messages, 0)
        expect(known).toBe(messages.length)
      }),
    )
  })

  test(`cells of ${view.name} survive as rows`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), (messages) => {
        const rows = rowsOf(fold(view, messages).cells())
        const cells = cellsOf(view, rows)
        expect(rowsOf(cells)).toEqual(rows)
        const keys = rows.map((_, i) => keyAt(cells, i))
        for (const [i, key] of keys.entries()) {
          const other = keys.findIndex((one, k) => k > i && one !== key)
          expect(endOfKey(cells, i)).toBe(other < 0 ? keys.length : other)
        }
      }),
    )
  })

  test(`a range of ${view.name} is the cells of its key and time, and nothing else`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), fc.nat(5), fc.nat(5), (messages, from, length) => {
        const cells = fold(view, messages)
        const all = cells.cells()
        const fromMs = bucketStart(messages[0]?.timeMs ?? 0, HOUR_MS) + from * 60_000
        const toMs = fromMs + length * 60_000
        for (const { key } of cells.keys()) {
          const got = rowsOf(cells.range(key, fromMs, toMs))
          const want = rowsOf(all).filter(
            (_, i) => keyAt(all, i) === key && timesOf(all)[i]! >= fromMs && timesOf(all)[i]! < toMs,
          )
          expect(got).toEqual(want)
        }
        const some = Array.from(cells.keys(), ({ key }) => key).filter((_, i) => i % 2 === 0)
        const want = rowsOf(all).filter((_, i) => some.includes(keyAt(all, i)))
        const ever = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const
        expect(rowsOf(cells.range([...some, 'nobody'], ...ever))).toEqual(want)
      }),
    )
  })
}

test('coarser buckets and other keys are merged into', () => {
  const messages = [0, 70_000, 3_700_000].map((ms) => {
    return { names: ['a', 'h'], timeMs: ms, gauges: [1, 2, 3], agent: null, seq: null }
  })
  const day = new CellFold(serviceMinute)
  day.merge(fold(serviceMinute, messages).cells(), { bucketMs: HOUR_MS, key: 'all' })
  const cells = day.cells()
  expect([cells.length, keyAt(cells, 0), [...timesOf(cells)]]).toEqual([2, 'all', [0, HOUR_MS]])
})

test('scaled gauges are scaled before anything else', () => {
  const twice = { ...serviceMinute, gauges: serviceMinute.gauges.map((gauge) => ({ ...gauge, scale: 2 })) }
  const cells = new CellFold(twice)
  cells.addAll(toColumns(host, [{ names: ['a', 'h'], timeMs: 0, gauges: [1, 2, 3], agent: null, seq: null }]))
  const names = viewColumns(twice).map(({ name }) => name)
  const row = rowAt(cells.cells(), 0)
  expect([row[names.indexOf('cpu')], row[names.indexOf('max_disk')]]).toEqual([2, 6])
})

test('in whatever order and parts values of two decimals come, their total prints the same', () => {
  const value = fc.integer({ min: 0, max: 10_000 }).map((cents) => cents / 100)
  const total = (values: readonly number[], parts: number) => {
    const all = new CellFold(serviceMinute)
    for (let part = 0; part < parts; part++) {
      const fold = new CellFold(serviceMinute)
      const own = values.filter((_, i) => i % parts === part)
      fold.addAll(
        hostColumns(own.map((cpu) => ({ service: 'web', host: 'h', timeMs: 0, gauges: [cpu, 1, 1] }))),
      )
      all.merge(fold.cells())
    }
    return rounded(answersOf(all.cells(), 0)[0]![0] as number)
  }
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 2_000, maxLength: 4_000, size: 'max' }),
      fc.integer({ min: 2, max: 60 }),
      (values, parts) => {
        const cents = values.reduce((sum, one) => sum + Math.round(one * 100), 0)
        expect(total(values, 1)).toBe(cents / 100)
        expect(total([...values].reverse(), parts)).toBe(cents / 100)
        expect(
          total(
            [...values].sort((a, b) => a - b),
            parts,
          ),
        ).toBe(cents / 100)
      },
    ),
    { numRuns: 15 },
  )
})

test('a fold with room for its cells takes no more memory, and holds the same', () => {
  const [wide, narrow] = [new CellFold(serviceMinute, 100), new CellFold(serviceMinute)]
  for (let i = 0; i < 100; i++) {
    const message = { service: `service-${i % 7}`, host: 'host-1', timeMs: i * MINUTE_MS, gauges: [i, 2, 3] }
    for (const fold of [wide, narrow]) fold.addAll(hostColumns([message]))
    expect(wide.room).toBe(100)
  }
  expect(wide.cells()).toEqual(narrow.cells())
})
