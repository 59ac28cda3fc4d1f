import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTokens } from '../../cli/access/token-file.ts'
import { parseCommit } from '../../lake/delta/actions.ts'
import { decodeCheckpoint, encodeCheckpoint } from '../../lake/delta/checkpoint-file.ts'
import { SUM_KEY } from '../../lake/delta/checkpoint-sum.ts'
import type { DataFile, Snapshot } from '../../lake/delta/port.ts'
import { replay } from '../../lake/delta/replay.ts'
import { openTable } from '../../lake/delta/table.ts'
import { decodeEntry, encodeEntry } from '../../lake/lease-log.ts'
import { decodeCells, encodeCells } from '../../lake/parquet/cells.ts'
import { orDamaged } from '../../lake/parquet/codec.ts'
import { decodeMessages, encodeMessages } from '../../lake/parquet/messages.ts'
import { checkRuns } from '../../lake/parquet/runs.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { logFacts, offsetsOf, withLogFacts } from '../../lake/tables/messages.ts'
import { type ViewState, viewSchema, viewState, withViewState } from '../../lake/tables/published.ts'
import { ticksOf, tickTags } from '../../lake/tables/ticks.ts'
import { decodeRepeats, encodeRepeats } from '../../log/repeats-codec.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { host } from '../../schemas/datasets/host.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { definitionHash, definitionJson } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { type ChunkPiece, decodeChunk, decodeSketches, encodeChunk } from '../../serving/index/chunk-codec.ts'
import { damaged } from '../log/damaged.ts'
import { SimClock } from '../sim/clock.ts'
import { hostColumns } from '../sim/messages.ts'
import { simRandom } from '../sim/random.ts'

const START_MS = Date.UTC(2026, 10, 22)
const COUNT = 200
const columns = hostColumns(
  Array.from({ length: COUNT }, (_, i) => ({
    service: ['web', 'zahlung ü'][i % 2]!,
    host: `h-${i % 7}`,
    agent: i % 2 ? 'agent-1' : null,
    seq: i % 2 ? i : null,
    timeMs: START_MS + i * 20_001,
    gauges: [i / 3, 1e15, i],
  })),
)
const fold = new CellFold(serviceMinute)
fold.addAll(columns)
const cells = fold.cells()
const own = fold.range('web', 0, Number.POSITIVE_INFINITY)
const place = { file: 1, level: 0, slice: 0, first: 'web' }
const [plain, sketches] = encodeChunk(
  serviceMinute,
  ['web'],
  [{ cells: own, from: 0, to: own.length }],
  place,
) as [ChunkPiece, ChunkPiece]

const REPEATS = { partition: 2, position: 77 }
const repeats = encodeRepeats(REPEATS, {
  nowMs: START_MS,
  isWhole: true,
  isBegunAnew: false,
  agents: new Map(
    ['a', 'agent-ü', 'b'.repeat(128)].map((id, i) => [id, { seq: i, lastMs: START_MS, movedMs: i }]),
  ),
  ids: new Set(['x', 'y'.repeat(16)]),
})

/** With the checksums that whoever made up the bytes would have written. */
function vouchedFor(bytes: Uint8Array): Uint8Array {
  const made = Buffer.from(bytes)
  if (made.length < 24) return made
  made.writeUInt32LE(made.length - 24, 12)
  made.writeUInt32LE(crc32(made.subarray(24)), 16)
  made.writeUInt32LE(crc32(made.subarray(0, 20)), 20)
  return made
}

const STATE: ViewState = {
  tidemark: { 0: 7 },
  hash: definitionHash(serviceMinute),
  definition: definitionJson(serviceMinute),
  messagesVersion: 3,
  dirtyHours: ['2026-11-22T10'],
  gaps: [{ reason: 'damaged', partition: 0, from: 1, to: 2, fromMs: 1, toMs: 2 }],
  run: 'a',
}

/** The log of a table: one commit that has all kinds of actions, and the checkpoint of it. */
async function tableLog() {
  const store = new MemoryStore(new SimClock(START_MS))
  const table = openTable('t', { store, clock: new SimClock(START_MS), random: simRandom(1) })
  const base = await table.create(viewSchema(serviceMinute), { a: 'b' })
  const file = await table.writeFile(encodeCells(cells), {
    partition: { date: '2026-11-22' },
    rows: 1,
    min: {},
    max: {},
  })
  await table.commit(base, {
    operation: 'TEST',
    add: [file],
    dataChange: true,
    txns: { 'seal/0': { version: 3, lastUpdatedMs: 4 } },
    configuration: withViewState(base, STATE),
  })
  const commits = [0, 1].map((version) => `t/_delta_log/${String(version).padStart(20, '0')}.json`)
  const bytes = commits.map((key) => store.objects.get(key)!.bytes)
  const read = bytes.map((one, version) => parseCommit('c', version, one))
  return { commits: bytes, checkpoint: encodeCheckpoint(replay('t', null, read)).bytes }
}

const log = await tableLog()
const text = new TextEncoder()
const json = (value: object) => text.encode(JSON.stringify(value))
const snapshotOf = (configuration: object, files: readonly object[] = []) =>
  ({ configuration, files: new Map(files.map((file, i) => [String(i), file])) }) as unknown as Snapshot
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const first = snapshotOf({})
const offsets = json({ 0: [1, 2] })

/** As bytes of a data file that another writer made are taken: no checksum vouches for them. */
async function withoutChecksum<T>(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => T | Promise<T>,
): Promise<T> {
  await orDamaged('another writer', async () => checkRuns(bytes))
  return read(bytes)
}

/** The checkpoint as an earlier release wrote it. */
const unvouched = Buffer.from(log.checkpoint)
unvouched.set(Buffer.from('tidemark.none!'), unvouched.lastIndexOf(SUM_KEY))

interface Format {
  readonly what: string
  readonly whole: Uint8Array
  read(bytes: Uint8Array): unknown
}

const FORMATS: readonly Format[] = [
  { what: 'a commit', whole: log.commits[1]!, read: (bytes) => parseCommit('c', 1, bytes) },
  {
    what: 'commits of a table',
    whole: log.commits[0]!,
    read: (bytes) => replay('t', null, [parseCommit('c', 0, bytes)]),
  },
  {
    what: 'a checkpoint',
    whole: log.checkpoint,
    read: (bytes) => decodeCheckpoint('t', 'c', 1, bytes, async () => null),
  },
  {
    what: 'a checkpoint without a checksum',
    whole: unvouched,
    read: (bytes) => decodeCheckpoint('t', 'c', 1, bytes, async () => null),
  },
  {
    what: 'a file of messages',
    whole: encodeMessages(host, {
      columns,
      partition: new Int32Array(COUNT),
      offset: new Float64Array(COUNT),
      index: new Int32Array(COUNT),
    }),
    read: (bytes) => withoutChecksum(bytes, (whole) => decodeMessages(host, whole)),
  },
  {
    what: 'a file of cells, as ticks are',
    whole: encodeCells(cells),
    read: (bytes) => withoutChecksum(bytes, (whole) => decodeCells(serviceMinute, whole)),
  },
  {
    what: 'the state of a view',
    whole: text.encode(withViewState(first, STATE)['tidemark.view']!),
    read: (bytes) => viewState(snapshotOf({ 'tidemark.view': decode(bytes) })),
  },
  {
    what: 'what messages say of the log',
    whole: text.encode(withLogFacts(first, { gaps: STATE.gaps, closed: { 0: 1 } })['tidemark.log']!),
    read: (bytes) => logFacts(snapshotOf({ 'tidemark.log': decode(bytes) })),
  },
  {
    what: "a tick's tag",
    whole: text.encode(
      tickTags({ hash: 'h', partition: 0, from: 1, to: 2, toMs: 3, gaps: [] } as never).tick!,
    ),
    read: (bytes) => ticksOf(snapshotOf({}, [{ tags: { tick: decode(bytes) } }])),
  },
  {
    what: "the offsets' tag",
    whole: offsets,
    read: (bytes) => offsetsOf({ path: 'p', tags: { offsets: decode(bytes) } } as unknown as DataFile),
  },
  {
    what: 'tokens',
    whole: json({
      version: 1,
      tokens: [
        { id: 'a', role: 'admin', name: 'n', created: '2026-11-22T10:00:00.000Z', sha256: 'a'.repeat(64) },
      ],
    }),
    read: (bytes) => parseTokens('tokens.json', bytes),
  },
  {
    what: 'a lease',
    whole: encodeEntry(
      { owner: 'o', session: 's', holder: 'h', host: 'h', expiresMs: START_MS, released: false },
      'i',
    ),
    read: decodeEntry,
  },
  {
    what: 'a chunk of the index',
    whole: plain.bytes,
    read: (bytes) => decodeChunk(serviceMinute, place, bytes),
  },
  {
    what: 'what is known of repeats',
    whole: repeats,
    read: (bytes) => decodeRepeats(bytes, REPEATS),
  },
  {
    what: 'what is known of repeats, with checksums that are right',
    whole: repeats,
    read: (bytes) => decodeRepeats(vouchedFor(bytes), REPEATS),
  },
  {
    what: 'sketches of the index',
    whole: sketches.bytes,
    read: (bytes) => decodeSketches(serviceMinute, place, sketches.piece, bytes),
  },
]

/** What reading leaves by: the kind of what was thrown, or nothing. */
async function thrownBy(read: () => unknown): Promise<string> {
  try {
    await read()
    return 'nothing'
  } catch (error) {
    return error instanceof TidemarkError ? 'nothing' : `${(error as Error).stack}`
  }
}

test.for(FORMATS)(
  'whatever becomes of the bytes of $what, they are read or called damaged',
  async ({ whole, read }) => {
    await read(whole)
    const bytes = fc.oneof(
      { weight: 4, arbitrary: damaged(whole) },
      fc.uint8Array({ maxLength: 300 }),
      fc.jsonValue().map((value) => text.encode(JSON.stringify(value))),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (hurt) => {
        expect(await thrownBy(() => read(hurt))).toBe('nothing')
      }),
      { numRuns: 400 },
    )
  },
)
