import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'
import { checkRuns } from '../parquet/runs.ts'
import { addFields, Draft, damaged, removeFields, txnFields } from './actions.ts'
import { isSumRight, NO_SUM, putSum, SUM_KEY } from './checkpoint-sum.ts'
import { replay, type State } from './replay.ts'

/**
 * A checkpoint: one Parquet file whose rows are the actions that make up a version, each row with one column set
 * (PROTOCOL.md, "Checkpoint Schema"). It replaces the commits up to its version.
 */

type Element = { name: string; [property: string]: unknown }

const string = (name: string): Element => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
  repetition_type: 'OPTIONAL',
})
const long = (name: string): Element => ({ name, type: 'INT64', repetition_type: 'OPTIONAL' })
const integer = (name: string): Element => ({ name, type: 'INT32', repetition_type: 'OPTIONAL' })
const boolean = (name: string): Element => ({ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' })
const struct = (name: string, ...fields: Element[][]): Element[] => [
  { name, repetition_type: 'OPTIONAL', num_children: fields.length },
  ...fields.flat(),
]
const map = (name: string): Element[] => [
  {
    name,
    repetition_type: 'OPTIONAL',
    num_children: 1,
    converted_type: 'MAP',
    logical_type: { type: 'MAP' },
  },
  { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
  { ...string('key'), repetition_type: 'REQUIRED' },
  string('value'),
]
const list = (name: string): Element[] => [
  {
    name,
    repetition_type: 'OPTIONAL',
    num_children: 1,
    converted_type: 'LIST',
    logical_type: { type: 'LIST' },
  },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  string('element'),
]

const COLUMNS: readonly Element[][] = [
  struct('txn', [string('appId')], [long('version')], [long('lastUpdated')]),
  struct(
    'add',
    [string('path')],
    map('partitionValues'),
    [long('size')],
    [long('modificationTime')],
    [boolean('dataChange')],
    [string('stats')],
    map('tags'),
  ),
  struct(
    'remove',
    [string('path')],
    [long('deletionTimestamp')],
    [boolean('dataChange')],
    [boolean('extendedFileMetadata')],
    map('partitionValues'),
    [long('size')],
  ),
  struct(
    'metaData',
    [string('id')],
    [string('name')],
    [string('description')],
    struct('format', [string('provider')], map('options')),
    [string('schemaString')],
    list('partitionColumns'),
    map('configuration'),
    [long('createdTime')],
  ),
  struct('protocol', [integer('minReaderVersion')], [integer('minWriterVersion')]),
]

/** Each action, and a field that it always has: where that is null, the row holds another action. */
const KINDS = COLUMNS.map(([kind, field]) => [kind!.name, field!.name] as const)

/** Commit time of the version, in the file's own metadata: other readers take it from the commit. */
const TIME_KEY = 'tidemark.timeMs'

export interface CheckpointFile {
  readonly bytes: Uint8Array
  /** Number of actions. */
  readonly actions: number
}

export function encodeCheckpoint(state: State): CheckpointFile {
  const rows: { [kind: string]: unknown }[] = [{ protocol: state.protocol }, { metaData: state.metaData }]
  for (const [appId, txn] of state.txns) rows.push({ txn: txnFields(appId, txn) })
  for (const file of state.files.values()) rows.push({ add: addFields(file, false) })
  for (const tombstone of state.tombstones.values()) {
    rows.push({ remove: { ...removeFields(tombstone), dataChange: false } })
  }
  const writer = new ByteWriter()
  parquetWrite({
    writer,
    schema: [{ name: 'root', num_children: COLUMNS.length }, ...COLUMNS.flat()] as never,
    columnData: COLUMNS.map(([column]) => ({
      name: column!.name,
      data: rows.map((row) => longs(row[column!.name] ?? null)),
    })) as never,
    rowGroupSize: rows.length,
    // Readers may skip rows by statistics; of nested columns they gain nothing and must trust much.
    statistics: false,
    kvMetadata: [
      { key: TIME_KEY, value: String(state.timeMs) },
      { key: SUM_KEY, value: NO_SUM },
    ],
    createdBy: 'Tidemark',
  })
  const bytes = new Uint8Array(writer.getBuffer())
  putSum(bytes)
  return { bytes, actions: rows.length }
}

const LONGS = new Set([
  'version',
  'lastUpdated',
  'size',
  'modificationTime',
  'deletionTimestamp',
  'createdTime',
])

/** `value` with its 64-bit fields as the writer wants them. */
function longs(value: unknown): unknown {
  if (value === null) return null
  return Object.fromEntries(
    Object.entries(value as object).map(([name, field]) => [
      name,
      LONGS.has(name) && typeof field === 'number' ? BigInt(field) : field,
    ]),
  )
}

/**
 * The state that a checkpoint holds, whatever wrote it, and its number of actions. `timeOfVersion` is asked for the commit
 * time where the file does not say. Throws like `parseCommit`.
 */
export async function decodeCheckpoint(
  name: string,
  file: string,
  version: number,
  bytes: Uint8Array,
  timeOfVersion: () => Promise<number | null>,
): Promise<{ state: State; actions: number }> {
  const draft = new Draft(version)
  let time: string | undefined
  try {
    const isRight = isSumRight(bytes)
    if (isRight === false) throw new Error('its checksum is wrong')
    if (isRight === null) checkRuns(bytes)
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    const metadata = parquetMetadata(buffer)
    time = metadata.key_value_metadata?.find(({ key }) => key === TIME_KEY)?.value
    const present = new Set(metadata.schema.map(({ name: column }) => column))
    const columns = KINDS.map(([kind]) => kind).filter((kind) => present.has(kind))
    for (const row of await parquetReadObjects({ file: buffer, metadata, columns })) {
      for (const [kind, field] of KINDS) {
        const isSet = (row[kind]?.[field] ?? null) !== null
        if (isSet) draft.take(file, kind, row[kind])
      }
    }
  } catch (error) {
    throw damaged(file, error)
  }
  draft.timeMs = time === undefined ? await timeOfVersion() : Number(time)
  const state = replay(name, null, [draft])
  return { state, actions: draft.actions }
}
