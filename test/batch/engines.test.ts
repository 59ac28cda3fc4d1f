import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { duckdbEngine } from '../../batch/engines/duckdb.ts'
import type { OpenEngine } from '../../batch/engines/engine.ts'
import { openReference } from '../../batch/engines/reference.ts'
import type { DatePlan } from '../../batch/plan.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import type { DataFile, Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { decodeCells, describeCells, encodeCells } from '../../lake/parquet/cells.ts'
import { describeMessages, encodeMessages } from '../../lake/parquet/messages.ts'
import type { MessageRows } from '../../lake/parquet/order.ts'
import { localStore } from '../../lake/store/local.ts'
import { hourName } from '../../lake/tables/hours.ts'
import { valueAt } from '../../schemas/cell-column.ts'
import { type Cells, noCells } from '../../schemas/cells.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Message, toColumns } from '../../schemas/message.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { View } from '../../schemas/view.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'
import { close, exactRows } from '../simulator/oracle.ts'

const DATE = '2026-11-22'
const DATE_MS = Date.parse(DATE)
let dir: string
let table: Table
let viewTable: Table

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-engines-'))
  const random = simRandom(1)
  const store = await localStore(nodeDisk(), dir, random)
  const deps = { store, clock: new SimClock(DATE_MS), random }
  table = openTable('messages', deps)
  viewTable = openTable('service_minute', deps)
})
afterAll(() => rm(dir, { recursive: true }))

type Placed = Message & { readonly offset: number }

/** Few services, hosts, times and values, so that everything ties; and names and numbers of all sorts. */
const message: fc.Arbitrary<Placed> = fc.record({
  names: fc.tuple(
    fc.constantFrom('web', 'übung', '漢字', 'a"b\'c'),
    fc.constantFrom('h', 'h1', '\u{1F600}', '\uFFFD', 'H'),
  ),
  timeMs: fc.oneof(
    fc.constantFrom(DATE_MS, DATE_MS + 1, DATE_MS + 59_999, DATE_MS + 60_000),
    fc.integer({ min: DATE_MS, max: DATE_MS + 86_399_999 }),
  ),
  gauges: fc.array(
    fc.oneof(fc.constantFrom(0, 1, 100, 1e15, 5e-324, 0.1), fc.double({ min: 0, max: 1e15, noNaN: true })),
    {
      minLength: 3,
      maxLength: 3,
    },
  ),
  agent: fc.constant(null),
  seq: fc.constant(null),
  offset: fc.nat(20),
})

async function write(messages: readonly Placed[], date = DATE): Promise<DataFile> {
  const rows: MessageRows = {
    columns: toColumns(host, messages),
    partition: Int32Array.from(messages, (_, i) => (i % 11 === 0 ? -1 : 0)),
    offset: Float64Array.from(messages, ({ offset }) => offset),
    index: Int32Array.from(messages, (_, i) => i),
  }
  return table.writeFile(encodeMessages(host, rows), describeMessages(rows, date))
}

async function execute(open: OpenEngine, view: View, date: DatePlan, to: number): Promise<Cells> {
  const engine = await open({ dataset: host, view, messages: table, viewTable })
  try {
    const file = await engine.compute(date, { 0: to }, new AbortController().signal)
    if (file === null) return noCells(view)
    const cells = await decodeCells(view, file.bytes)
    expect(file.about).toEqual(describeCells(cells, { date: date.date }))
    return cells
  } finally {
    await engine.close()
  }
}

const duckdb = () => duckdbEngine(join(dir, 'scratch'), nodeDisk())

test.each([
  [1, 1],
  [1_000, 2],
])('of dates with %i messages and more one is computed at a time', async (largeRows, atATime) => {
  const own = nodeDisk()
  let reading = 0
  let most = 0
  const both = Promise.withResolvers<void>()
  const disk: Disk = {
    ...own,
    // The first file waits for the second where two are made at a time, and else long enough to be overtaken.
    async readFile(path) {
      most = Math.max(most, ++reading)
      if (reading === 2) both.resolve()
      await (atATime === 2 ? both.promise : setTimeout(200))
      const bytes = await own.readFile(path)
      reading--
      return bytes
    },
  }
  const engine = await duckdbEngine(join(dir, 'scratch'), disk, { largeRows })({
    dataset: host,
    view: serviceMinute,
    messages: table,
    viewTable,
  })
  const one = { names: ['web', 'h'], timeMs: DATE_MS, gauges: [1, 2, 3], agent: null, seq: null, offset: 1 }
  const maps = [{ files: [await write([one])] }]
  const date: DatePlan = { date: DATE, hours: [hourName(DATE_MS)], maps, base: null, frozen: [] }
  const { signal } = new AbortController()
  const made = await Promise.all([date, date].map((same) => engine.compute(same, { 0: 20 }, signal)))
  await engine.close()
  expect([most, ...made.map((file) => file!.about.rows)]).toEqual([atATime, 1, 1])
})

test.each([5, 24, 100])('a date that is computed in %i pieces has the same cells', async (pieces) => {
  const messages = Array.from({ length: 24 * 12 * 3 }, (_, i) => ({
    names: [`service-${i % 3}`, 'h'],
    timeMs: DATE_MS + Math.floor(i / 3) * 300_000,
    gauges: [i % 101, i % 89, i % 97],
    agent: null,
    seq: null,
    offset: 1,
  }))
  const hours = Array.from({ length: 23 }, (_, hour) => hourName(DATE_MS + hour * 3_600_000))
  const maps = [{ files: [await write(messages)] }, { files: [await write(messages.slice(0, 100))] }]
  const date: DatePlan = { date: DATE, hours, maps, base: null, frozen: [] }
  const whole = await execute(duckdb(), serviceMinute, date, 20)
  expect(whole.length).toBe(23 * 12 * 3)
  const inPieces = duckdbEngine(join(dir, 'scratch'), nodeDisk(), { pieces })
  expect(await execute(inPieces, serviceMinute, date, 20)).toEqual(whole)
})

const views: readonly View[] = [
  serviceMinute,
  { ...serviceMinute, bucketMs: 86_400_000 },
  {
    ...hostMinute,
    measures: serviceMinute.measures,
    gauges: serviceMinute.gauges.map((one) => ({ ...one, scale: 0.1 })),
  },
]

for (const view of views) {
  test(`DuckDB and the reference agree on ${view.key.join(', ')} by ${view.bucketMs} ms, whatever ties`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(message, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: -1, max: 20 }),
        fc.boolean(),
        async (parts, to, isWholeDay) => {
          const files = await Promise.all(parts.map((part) => write(part)))
          const maps = [files.slice(0, 1), files.slice(1)]
            .filter((task) => task.length > 0)
            .map((task) => ({ files: task }))
          const every = isWholeDay
            ? Array.from({ length: 24 }, (_, hour) => DATE_MS + hour * 3_600_000)
            : [DATE_MS]
          const date = { date: DATE, hours: every.map(hourName), maps, base: null, frozen: [] }
          const want = await execute(openReference, view, date, to)
          const got = await execute(duckdb(), view, date, to)
          expectSame(got, want)
          // With these as the file before, one hour is recomputed and the others are carried.
          const base = await viewTable.writeFile(encodeCells(want), describeCells(want, { date: DATE }))
          const carried = { ...date, hours: [hourName(DATE_MS)], base }
          expectSame(
            await execute(duckdb(), view, carried, to),
            await execute(openReference, view, carried, to),
          )
        },
      ),
      { numRuns: 15 },
    )
  })
}

test.each(['0001-01-01', '1582-10-10', '1969-12-31', '9999-12-31'])(
  'DuckDB and the reference agree on %s, and carry its hours',
  async (date) => {
    const startMs = Date.parse(date)
    const files = [0, 1, 59_999, 3_600_000, 43_200_123, 86_399_999].map((ms, i) => {
      const names = ['web', 'h'] as const
      return write(
        [{ names, timeMs: startMs + ms, gauges: [i, 1, 2], agent: null, seq: null, offset: 0 }],
        date,
      )
    })
    const maps = [{ files: await Promise.all(files) }]
    const all = Array.from({ length: 24 }, (_, hour) => hourName(startMs + hour * 3_600_000))
    const whole = { date, hours: all, maps, base: null, frozen: [] }
    const want = await execute(openReference, serviceMinute, whole, 0)
    expect(want.length).toBe(4)
    expectSame(await execute(duckdb(), serviceMinute, whole, 0), want)
    const base = await viewTable.writeFile(encodeCells(want), describeCells(want, { date }))
    for (const hours of [all.slice(0, 1), all.slice(23)]) {
      expectSame(await execute(duckdb(), serviceMinute, { ...whole, hours, base }, 0), want)
    }
  },
)

/** Totals are sums of doubles; all else is equal. */
function expectSame(got: Cells, want: Cells): void {
  expect(exactRows(got)).toEqual(exactRows(want))
  const first = got.view.key.length + 1
  for (let c = first; c < first + got.view.gauges.length; c++) {
    for (let i = 0; i < got.length; i++)
      expect(close(valueAt(got.columns[c]!, i) as number, valueAt(want.columns[c]!, i) as number)).toBe(true)
  }
}

test('an engine says which file it cannot read', async () => {
  const file = await write([{ ...toMessage(), offset: 0 }])
  const damaged = { ...file, tags: { ...file.tags, crc32: '00000000' } }
  const date = {
    date: DATE,
    hours: [hourName(DATE_MS)],
    maps: [{ files: [damaged] }],
    base: null,
    frozen: [],
  }
  for (const open of [openReference, duckdb()]) {
    const run = execute(open, serviceMinute, date, 0)
    await expect(run).rejects.toMatchObject({
      code: 'E_FILE_DAMAGED',
      message: expect.stringContaining(file.path),
    })
  }
})

function toMessage(): Message {
  return { names: ['s', 'h'], timeMs: DATE_MS, gauges: [1, 2, 3], agent: null, seq: null }
}

test('an engine that is told to stop ends early', async () => {
  const file = await write([{ ...toMessage(), offset: 0 }])
  for (const open of [openReference, duckdb()]) {
    const engine = await open({ dataset: host, view: serviceMinute, messages: table, viewTable })
    const stop = new AbortController()
    const date = { date: DATE, hours: [hourName(DATE_MS)], maps: [{ files: [file] }], base: null, frozen: [] }
    const computing = engine.compute(date, { 0: 0 }, stop.signal)
    stop.abort(new Error('stopped'))
    await expect(computing).rejects.toThrow()
    await engine.close()
  }
})
