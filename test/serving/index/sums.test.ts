import { expect, test } from 'vitest'
import { CellFold } from '../../../schemas/cell-fold.ts'
import { type CellRange, type Cells, keyAt, messagesIn } from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { toColumns } from '../../../schemas/message.ts'
import { narrowCells, narrowedTo } from '../../../schemas/narrowed.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { Filling } from '../../../serving/index/filling.ts'
import { ChunkReader } from '../../../serving/index/reader.ts'

const DAY = { level: 2, fromMs: 0, toMs: DAY_MS } as const
const FILES = [{ id: 1 }, { id: 2 }]

/** One message of each service. */
function cellsOf(services: readonly string[]): Cells {
  const fold = new CellFold(serviceMinute)
  const messages = services.map((service) => {
    return { names: [service, 'h'], timeMs: 1, gauges: [10.5, 20, 30], agent: null, seq: null }
  })
  fold.addAll(toColumns(host, messages))
  return fold.cells()
}

/** Asks for sums and notes what was made. */
function asking(bytesMax?: number) {
  const filling = new Filling(':memory:')
  const reader = new ChunkReader(filling.db, bytesMax)
  const made: string[][] = []
  const ask = (keys: readonly string[], files = FILES, range = DAY, as = serviceMinute) =>
    reader.sums(serviceMinute, files, keys, range, as, (missing) => {
      made.push([...missing])
      return narrowCells(cellsOf(missing.filter((key) => key !== 'none')), as)
    })
  return { ask, made, [Symbol.dispose]: () => reader.close() }
}

const said = (rows: readonly CellRange[]) =>
  rows.map(({ cells, from, to }) => (from === to ? null : [keyAt(cells, from), messagesIn(cells, from, to)]))

test('of each key the sum is made once, also where there is none', () => {
  using sums = asking()
  expect(said(sums.ask(['a', 'none', 'z']))).toEqual([['a', 1], null, ['z', 1]])
  expect(said(sums.ask(['a', 'b', 'none', 'z']))).toEqual([['a', 1], ['b', 1], null, ['z', 1]])
  expect(sums.made).toEqual([['a', 'none', 'z'], ['b']])
})

test('other files, another range and other columns have sums of their own', () => {
  using sums = asking()
  sums.ask(['a'])
  sums.ask(['a'], [{ id: 1 }])
  sums.ask(['a'], FILES, { ...DAY, toMs: 2 * DAY_MS } as never)
  const narrow = narrowedTo(serviceMinute, 'cpu.max')!
  expect(sums.ask(['a'], FILES, DAY, narrow)[0]!.cells.view).toBe(narrow)
  expect(sums.made).toHaveLength(4)
})

test('sums take no more room than chunks have: those that were asked for last stay', () => {
  using sums = asking(100_000)
  // Each takes some hundred bytes.
  const many = Array.from({ length: 1_000 }, (_, i) => `service-${i}`)
  for (let from = 0; from < many.length; from += 50) sums.ask(many.slice(from, from + 50))
  sums.made.length = 0
  sums.ask(many.slice(-10))
  sums.ask(many.slice(0, 10))
  expect(sums.made).toEqual([many.slice(0, 10)])
})

test('what is let go while the rest is made is made again', () => {
  using sums = asking(100_000)
  const many = Array.from({ length: 1_000 }, (_, i) => `service-${i}`)
  sums.ask(many.slice(0, 10))
  const rows = sums.ask([...many.slice(10), ...many.slice(0, 10)])
  expect(rows).toHaveLength(many.length)
  expect(rows.every(({ from, to }) => to - from === 1)).toBe(true)
  expect(sums.made.at(-1)).toContain(many[0])
})
