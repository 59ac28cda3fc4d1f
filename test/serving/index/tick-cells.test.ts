import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CellFold } from '../../../schemas/cell-fold.ts'
import { joinSummaries, type KeySummary } from '../../../schemas/cell-rows.ts'
import { type Cells, rowAt } from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { toColumns } from '../../../schemas/message.ts'
import { defineView, type View } from '../../../schemas/view.ts'
import { TickCells } from '../../../serving/index/tick-cells.ts'

const view = defineView(host, { name: 'service_minute', key: ['service'] })
const START_MS = Date.UTC(2026, 10, 22)
/** More cells than are folded at once. */
const BIG = 5_001

/** Cells of so many services, whole numbers whose sums are exact in any order. */
function tickOf(services: number, minute: number, first = 0): Cells {
  const fold = new CellFold(view)
  const messages = Array.from({ length: services }, (_, i) => ({
    names: [`service-${first + i}`, `host-${minute}`],
    timeMs: START_MS + (minute % 3) * 60_000 + i,
    gauges: [(i + minute) % 101, minute, 3],
    agent: null,
    seq: null,
  }))
  fold.addAll(toColumns(host, messages))
  return fold.cells()
}

const BIGS = Array.from({ length: 4 }, (_, n) => tickOf(BIG, n))
const SMALLS = Array.from({ length: 4 }, (_, n) => tickOf(40 + n, n))

function oracleOf(ticks: Iterable<Cells>): CellFold {
  const fold = new CellFold(view)
  for (const cells of ticks) fold.merge(cells)
  return fold
}

const rowsOf = (cells: Cells) => Array.from({ length: cells.length }, (_, i) => rowAt(cells, i))
const joined = (parts: readonly Cells[]) => oracleOf(parts).cells()

function expectSame(ticks: TickCells, byPath: ReadonlyMap<string, Cells>) {
  const oracle = oracleOf(byPath.values())
  const [from, to] = [START_MS + 60_000, START_MS + 120_000]
  for (const keys of ['service-3', 'nobody', ['service-7', 'service-41', 'service-4000']])
    expect(rowsOf(joined(ticks.range(keys, from, to)))).toEqual(rowsOf(oracle.range(keys, from, to)))
  for (const key of ['service-0', 'service-41', 'service-5000', 'nobody']) {
    const own = oracle.summary(key)
    if (own === null) expect(ticks.summary(key)).toBeNull()
    else expect(ticks.summary(key)).toMatchObject({ ...joinSummaries(undefined, own) })
  }
  const known = new Map<string, KeySummary>()
  for (const key of ticks.keys()) known.set(key.key, joinSummaries(known.get(key.key), key))
  expect(known.size).toBe([...oracle.keys()].length)
}

test('ticks of any size, one after the other or some gone, are one fold of all of them', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ big: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ small: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ gone: fc.nat(9) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 9 }), async (steps) => {
      let ticks = TickCells.none(view)
      let byPath: ReadonlyMap<string, Cells> = new Map()
      for (const [n, one] of steps.entries()) {
        const before = byPath
        if ('gone' in one) byPath = new Map([...byPath].slice(one.gone))
        else byPath = new Map([...byPath, [`tick-${n}`, 'big' in one ? BIGS[one.big]! : SMALLS[one.small]!]])
        const take = await ticks.become(view, byPath, async () => {})
        // Until it is taken, what was before is answered.
        expect(ticks.summary('service-1')?.messages).toBe(
          oracleOf(before.values()).summary('service-1')?.messages,
        )
        ticks = take()
      }
      expectSame(ticks, byPath)
    }),
    { numRuns: 15 },
  )
}, 60_000)

test('many large ticks make few layers, and each is folded in parts between which others have their turn', async () => {
  let ticks = TickCells.none(view)
  const byPath = new Map<string, Cells>()
  let pauses = 0
  for (let n = 0; n < 16; n++) {
    byPath.set(`tick-${n}`, BIGS[n % BIGS.length]!)
    ticks = (await ticks.become(view, new Map(byPath), async () => void pauses++))()
    expect(ticks.layers).toBeLessThanOrEqual(1 + Math.log2(n + 2))
  }
  // Two parts a tick, which is folded again when its layer is taken in: not more often than layers double.
  expect(pauses).toBeGreaterThanOrEqual(2 * 16)
  expect(pauses).toBeLessThanOrEqual(2 * 16 * 5)
  expectSame(ticks, byPath)
}, 60_000)

test('under another view all is folded anew', async () => {
  const other: View = { ...view }
  const byPath = new Map([['a', BIGS[0]!]])
  const ticks = (await TickCells.none(view).become(view, byPath, async () => {}))()
  const renewed = (await ticks.become(other, byPath, async () => {}))()
  expect([renewed.view, renewed.layers]).toEqual([other, 1])
  expectSame(renewed, byPath)
})

test('small ticks of many cells make few layers, and no fold grows to more than it had room for', async () => {
  let ticks = TickCells.none(view)
  const byPath = new Map<string, Cells>()
  let pauses = 0
  for (let n = 0; n < 100; n++) {
    byPath.set(`tick-${n}`, tickOf(1_000, n, 1_000 * n))
    ticks = (await ticks.become(view, new Map(byPath), async () => void pauses++))()
    expect(ticks.layers).toBeLessThanOrEqual(4)
  }
  // Most are folded where they are; others again when layers double, each tick with one pause.
  expect(pauses).toBeLessThanOrEqual(2 * 100)
  expectSame(ticks, byPath)
}, 60_000)

test('small ticks that share their cells make few layers too', async () => {
  let ticks = TickCells.none(view)
  const byPath = new Map<string, Cells>()
  let pauses = 0
  for (let n = 0; n < 200; n++) {
    const pair = Math.floor(n / 2)
    byPath.set(`tick-${n}`, tickOf(1_000, pair, 1_000 * pair))
    ticks = (await ticks.become(view, new Map(byPath), async () => void pauses++))()
    expect(ticks.layers).toBeLessThanOrEqual(4)
  }
  expect(pauses).toBeLessThanOrEqual(4 * 200)
  expectSame(ticks, byPath)
}, 60_000)
