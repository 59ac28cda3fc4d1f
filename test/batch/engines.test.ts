import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { duckdbEngine } from '../../batch/engines/duckdb.ts'
import type { OpenEngine } from '../../batch/engines/engine.ts'
import { openReference } from '../../batch/engines/reference.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import type { DataFile, Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { describeMessages, encodeMessages } from '../../lake/parquet/messages.ts'
import type { MessageRows } from '../../lake/parquet/order.ts'
import { localStore } from '../../lake/store/local.ts'
import { hourName } from '../../lake/tables/hours.ts'
import { type Message, toColumns } from '../../schemas/message.ts'
import type { View } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'
import { close, exactPart } from '../simulator/oracle.ts'

const DATE = '2026-11-22'
const DATE_MS = Date.parse(DATE)
let dir: string
let table: Table

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-engines-'))
  const random = simRandom(1)
  const store = await localStore(nodeDisk(), dir, random)
  table = openTable('messages', { store, clock: new SimClock(DATE_MS), random })
})
afterAll(() => rm(dir, { recursive: true }))

/** Few services, hosts, times and values, so that everything ties; and names and numbers of all sorts. */
const message: fc.Arbitrary<Message & { offset: number }> = fc.record({
  service: fc.constantFrom('web', 'übung', '漢字', 'a"b\'c'),
  host: fc.constantFrom('h', 'h1', '\u{1F600}', '\uFFFD', 'H'),
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

async function write(messages: readonly (Message & { offset: number })[]): Promise<DataFile> {
  const rows: MessageRows = {
    columns: toColumns(messages),
    partition: Int32Array.from(messages, (_, i) => (i % 11 === 0 ? -1 : 0)),
    offset: Float64Array.from(messages, ({ offset }) => offset),
    index: Int32Array.from(messages, (_, i) => i),
  }
  return table.writeFile(encodeMessages(rows), describeMessages(rows, DATE))
}

async function execute(
  open: OpenEngine,
  view: View,
  tasks: readonly DataFile[][],
  hours: string[],
  to: number,
) {
  const engine = await open(view, table)
  try {
    const partials = []
    for (const files of tasks) partials.push(await engine.map(files, hours, { 0: to }))
    return await engine.reduce(partials)
  } finally {
    await engine.close()
  }
}

const views: readonly View[] = [
  serviceMinute,
  {
    ...serviceMinute,
    key: ['service', 'host'],
    gauges: serviceMinute.gauges.map((one) => ({ ...one, scale: 0.1 })),
  },
]

for (const view of views) {
  test(`DuckDB and the reference agree on ${view.key.join(', ')}, whatever ties`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(message, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: -1, max: 20 }),
        fc.boolean(),
        async (parts, to, isWholeDay) => {
          const files = await Promise.all(parts.map(write))
          const tasks = [files.slice(0, 1), files.slice(1)].filter((task) => task.length > 0)
          const every = isWholeDay
            ? Array.from({ length: 24 }, (_, hour) => DATE_MS + hour * 3_600_000)
            : [DATE_MS]
          const hours = every.map(hourName)
          const want = await execute(openReference, view, tasks, hours, to)
          const got = await execute(duckdbEngine(join(dir, 'scratch')), view, tasks, hours, to)
          expect(got.map(exactPart)).toEqual(want.map(exactPart))
          for (const [i, { cell }] of got.entries()) {
            cell.total.forEach((total, g) => {
              expect(close(total, want[i]!.cell.total[g]!)).toBe(true)
            })
          }
        },
      ),
      { numRuns: 15 },
    )
  })
}

test('an engine says which file it cannot read', async () => {
  const file = await write([{ ...toMessage(), offset: 0 }])
  const damaged = { ...file, tags: { ...file.tags, crc32: '00000000' } }
  for (const open of [openReference, duckdbEngine(join(dir, 'scratch'))]) {
    const run = execute(open, serviceMinute, [[damaged]], [hourName(DATE_MS)], 0)
    await expect(run).rejects.toMatchObject({
      code: 'E_FILE_DAMAGED',
      message: expect.stringContaining(file.path),
    })
  }
})

function toMessage(): Message {
  return { service: 's', host: 'h', timeMs: DATE_MS, gauges: [1, 2, 3], agent: null, seq: null }
}
