import { mkdir, mkdtempDisposable, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { lookAt } from '../../../cli/commands/import/files.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import type { DataFile, Table } from '../../../lake/delta/port.ts'
import { openTable } from '../../../lake/delta/table.ts'
import { writeExport } from '../../../lake/export/export.ts'
import { EXPORT_FORMATS, type ExportFormat, planExport } from '../../../lake/export/plan.ts'
import { Importing } from '../../../lake/import/importer.ts'
import { decodeMessages } from '../../../lake/parquet/messages.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { messagesSchema } from '../../../lake/tables/messages.ts'
import type { Dataset, Gauge } from '../../../schemas/dataset.ts'
import { stringAt } from '../../../schemas/string-column.ts'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'

/** What an export of messages holds is what was exported, whatever is in it: imported elsewhere it is the same messages. */

const gauge = (name: string, optional = false): Gauge => ({
  name,
  unit: 'points',
  min: -1e15,
  max: 1e15,
  optional,
})
const scores: Dataset = {
  name: 'scores',
  keys: ['group', 'lunch'],
  source: 'student',
  gauges: [gauge('math'), gauge('writing', true), gauge('reading', true)],
  attributes: ['note', 'room'],
}

const DAY_MS = 86_400_000
const FROM_MS = Date.UTC(2026, 10, 20)
const NAMES = [
  ...[
    '=SUM(A1)',
    '#x',
    'emo 🚀',
    'x/y%2F=c.d',
    'a,b;c|',
    'say "no"',
    'ends\\',
    "o'hara",
    'NULL',
    'null',
    'nan',
  ],
  ...[
    '-',
    'N/A',
    ' lead',
    'trail ',
    '007',
    '1e5',
    'true',
    '2026-11-20',
    '1.234,5',
    '\\N',
    '漢字',
    '+1',
    '@x',
    '{"a":1}',
  ],
]
const NOTES = ['=1+1', 'x,"y"', '"', '\\N', 'null', ' ', undefined]

/** Over three days, in no order; some numbered, some without what is optional. */
const MESSAGES = Array.from({ length: 500 }, (_, i) => ({
  group: NAMES[i % NAMES.length]!,
  lunch: ['free', '=std'][i % 2]!,
  student: `s-${i % 7}`,
  time_stamp: new Date(FROM_MS + ((i * 7_919_003) % (3 * DAY_MS))).toISOString(),
  math: [0.1, 1e15, -1e-9, 1 / 3, 12345678.9, 5][i % 6]!,
  ...(i % 3 === 0 && { writing: (i % 7) / 8 }),
  ...(i % 5 === 0 && { reading: -1e15 + i }),
  ...(NOTES[i % NOTES.length] !== undefined && { note: NOTES[i % NOTES.length]! }),
  ...(i % 4 === 0 && { room: 'r 🚀' }),
  ...(i % 2 === 0 && { agent: `agent-${i % 3}`, seq: i + 1 }),
}))

const clock = new SimClock(Date.UTC(2026, 10, 24))

async function emptyTable(): Promise<Table> {
  const table = openTable('scores_messages', { store: new MemoryStore(clock), clock, random: simRandom(1) })
  await table.create(messagesSchema(scores), {})
  return table
}

async function importInto(table: Table, path: string, dir: string): Promise<void> {
  await mkdir(join(dir, 'scratch'), { recursive: true })
  const file = await lookAt({ path, name: 'file' }, null, join(dir, 'scratch'))
  const options = { map: {}, set: {}, timeFormat: null, zone: 'Europe/Berlin', header: null }
  const importing = await Importing.read(file, options, {
    dataset: scores,
    messages: table,
    clock,
    scratch: { disk: nodeDisk(), removeTree: (of) => rm(of, { recursive: true, force: true }) },
    dir: join(dir, 'rows'),
    signal: new AbortController().signal,
  })
  try {
    expect(importing.preview).toMatchObject({ isGuessed: false, staged: { refused: [] } })
    await importing.commit(() => {})
  } finally {
    await importing.close()
  }
}

const COMPRESSED = [(bytes: Uint8Array) => bytes, gzipSync, zstdCompressSync]

/** A file for each range, each compressed otherwise. */
async function exportFrom(table: Table, format: ExportFormat, dir: string): Promise<string[]> {
  const localPath = async (file: DataFile) => {
    const local = join(dir, file.path.replaceAll('/', '-'))
    await writeFile(local, await table.readFile(file))
    return local
  }
  const asked = { name: table.name, table, schema: messagesSchema(scores), holdsMessages: true }
  const borders = [FROM_MS, FROM_MS + DAY_MS, FROM_MS + 1.5 * DAY_MS, FROM_MS + 3 * DAY_MS]
  const paths: string[] = []
  for (const [i, toMs] of borders.slice(1).entries()) {
    const path = join(dir, `range-${i}`)
    const plan = planExport(asked, await table.snapshot(), { fromMs: borders[i]!, toMs, where: {} })
    await writeExport(plan, { localPath }, format, path, new AbortController().signal)
    await writeFile(path, COMPRESSED[i]!(await readFile(path)))
    paths.push(path)
  }
  return paths
}

/** Every message of a table, in one order. */
async function messagesOf(table: Table): Promise<string[]> {
  const all: string[] = []
  for (const file of (await table.snapshot())!.files.values()) {
    const { columns } = await decodeMessages(scores, await table.readFile(file))
    for (let i = 0; i < columns.length; i++)
      all.push(
        JSON.stringify([
          ...columns.names.map((column) => stringAt(column, i)),
          columns.timeMs[i],
          ...columns.gauges.map((values) => values[i]),
          ...columns.attributes.map((column) => stringAt(column, i)),
          [stringAt(columns.agent, i), columns.seq[i]],
        ]),
      )
  }
  return all.sort()
}

let original: Table
beforeAll(async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'tidemark-round-trip-'))
  original = await emptyTable()
  const path = join(dir.path, 'first.ndjson')
  await writeFile(path, MESSAGES.map((message) => `${JSON.stringify(message)}\n`).join(''))
  await importInto(original, path, dir.path)
  expect(await messagesOf(original)).toHaveLength(MESSAGES.length)
})

test.each(EXPORT_FORMATS)('ranges as %s, plain, gzip and zstd', async (format) => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'tidemark-round-trip-'))
  const table = await emptyTable()
  for (const path of await exportFrom(original, format, dir.path)) await importInto(table, path, dir.path)
  expect(await messagesOf(table)).toEqual(await messagesOf(original))
})
