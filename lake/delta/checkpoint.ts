import { zstdCompressSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import { type Action, addJson, commitOf, metaDataJson, PROTOCOL } from './actions.ts'
import { applyCommit, stateOf, type TableState, type Tombstone } from './replay.ts'

/**
 * A checkpoint: the whole state of a version as one Parquet file, one action a row (PROTOCOL.md, "Checkpoints"). It makes
 * opening a table independent of how many commits it has.
 */
export function encodeCheckpoint(
  state: TableState,
  keepTombstonesFromMs: number,
): { bytes: Uint8Array; size: number } {
  const rows: Action[] = [{ protocol: PROTOCOL }, { metaData: metaDataJson(state.metaData) }]
  for (const [appId, { version, lastUpdatedMs }] of state.txns) {
    rows.push({ txn: { appId, version: BigInt(version), lastUpdated: optionalLong(lastUpdatedMs) } })
  }
  for (const file of state.files.values()) rows.push({ add: longs(addJson(file, false)) })
  for (const [path, { deletedMs, file }] of state.tombstones) {
    if (deletedMs < keepTombstonesFromMs) continue
    const known = file && {
      extendedFileMetadata: true,
      partitionValues: file.partition,
      size: BigInt(file.size),
    }
    rows.push({
      remove: {
        path: encodeURI(path),
        deletionTimestamp: BigInt(deletedMs),
        dataChange: false,
        ...(known ?? { extendedFileMetadata: false }),
      },
    })
  }
  const writer = new ByteWriter()
  const names = ['protocol', 'metaData', 'txn', 'add', 'remove'] as const
  parquetWrite({
    writer,
    codec: 'ZSTD',
    compressors: { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) },
    schema: SCHEMA as never,
    columnData: names.map((name) => ({ name, data: rows.map((row) => withLongs(name, row[name])) })) as never,
  })
  return { bytes: new Uint8Array(writer.getBuffer()), size: rows.length }
}

const optionalLong = (value: number | null) => (value === null ? null : BigInt(value))

/** `add` with its 64-bit numbers as the writer wants them. */
function longs(add: { [name: string]: unknown }) {
  return {
    ...add,
    size: BigInt(add.size as number),
    modificationTime: BigInt(add.modificationTime as number),
  }
}

function withLongs(name: string, action: Action[keyof Action]): unknown {
  if (name !== 'metaData' || !action) return action ?? null
  const metaData = action as { [name: string]: unknown }
  return { ...metaData, createdTime: BigInt(metaData.createdTime as number) }
}

type Node = { name: string; children?: Node[]; [property: string]: unknown }

const text = (name: string): Node => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
  repetition_type: 'OPTIONAL',
})
const long = (name: string): Node => ({ name, type: 'INT64', repetition_type: 'OPTIONAL' })
const integer = (name: string): Node => ({ name, type: 'INT32', repetition_type: 'OPTIONAL' })
const flag = (name: string): Node => ({ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' })
const group = (name: string, children: Node[]): Node => ({ name, repetition_type: 'OPTIONAL', children })
const map = (name: string): Node => ({
  name,
  repetition_type: 'OPTIONAL',
  converted_type: 'MAP',
  logical_type: { type: 'MAP' },
  children: [
    {
      name: 'key_value',
      repetition_type: 'REPEATED',
      children: [{ ...text('key'), repetition_type: 'REQUIRED' }, text('value')],
    },
  ],
})
const list = (name: string): Node => ({
  name,
  repetition_type: 'OPTIONAL',
  converted_type: 'LIST',
  logical_type: { type: 'LIST' },
  children: [{ name: 'list', repetition_type: 'REPEATED', children: [text('element')] }],
})

const SCHEMA = flatten({
  name: 'root',
  children: [
    group('protocol', [integer('minReaderVersion'), integer('minWriterVersion')]),
    group('metaData', [
      text('id'),
      group('format', [text('provider'), map('options')]),
      text('schemaString'),
      list('partitionColumns'),
      map('configuration'),
      long('createdTime'),
    ]),
    group('txn', [text('appId'), long('version'), long('lastUpdated')]),
    group('add', [
      text('path'),
      map('partitionValues'),
      long('size'),
      long('modificationTime'),
      flag('dataChange'),
      text('stats'),
      map('tags'),
    ]),
    group('remove', [
      text('path'),
      long('deletionTimestamp'),
      flag('dataChange'),
      flag('extendedFileMetadata'),
      map('partitionValues'),
      long('size'),
    ]),
  ],
})

/** The schema as Parquet lists it: depth first, each group with the number of its children. */
function flatten({ children, ...element }: Node): Node[] {
  if (children === undefined) return [element]
  return [{ ...element, num_children: children.length }, ...children.flatMap(flatten)]
}

/** The state that a checkpoint holds. Throws `E_TABLE_DAMAGED` naming `key`. */
export async function decodeCheckpoint(
  version: number,
  timeMs: number,
  bytes: Uint8Array,
  key: string,
): Promise<TableState> {
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    const rows = (await parquetReadObjects({ file, compressors })) as Action[]
    const commit = { ...commitOf(version, rows, key), timeMs }
    const tombstones = new Map<string, Tombstone>(
      commit.remove.map(({ path, deletedMs }) => [path, { deletedMs, file: null }]),
    )
    return stateOf({ ...applyCommit(null, { ...commit, remove: [] }), tombstones })
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError('E_TABLE_DAMAGED', `${key} cannot be read: ${describeError(error)}`, {
      cause: error,
    })
  }
}
