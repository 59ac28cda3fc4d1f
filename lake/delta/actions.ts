import { TidemarkError } from '../../schemas/errors.ts'
import type { DataFile, Field, TableSchema } from './port.ts'

/**
 * The actions of a commit, one JSON object a line, as delta-io/delta PROTOCOL.md names them; only what tables of protocol
 * (1, 2) without optional features contain.
 */
export interface Commit {
  readonly version: number
  /** `commitInfo.timestamp`: when it was committed, milliseconds. */
  readonly timeMs: number
  /** `commitInfo.commitId`: tells one's own commit from another's. */
  readonly commitId: string | null
  readonly metaData: MetaData | null
  readonly add: readonly { readonly file: DataFile; readonly dataChange: boolean }[]
  readonly remove: readonly {
    readonly path: string
    readonly deletedMs: number
    readonly dataChange: boolean
  }[]
  readonly txns: readonly {
    readonly appId: string
    readonly version: number
    readonly lastUpdatedMs: number | null
  }[]
}

export interface MetaData {
  readonly id: string
  readonly schema: TableSchema
  readonly configuration: { readonly [name: string]: string }
  readonly createdMs: number
}

export const PROTOCOL = { minReaderVersion: 1, minWriterVersion: 2 } as const

type Json = { [name: string]: unknown }

/** What one line of a commit, or one row of a checkpoint, says. */
export interface Action {
  readonly protocol?: { minReaderVersion: number; minWriterVersion: number } | null
  readonly metaData?: Json | null
  readonly add?: Json | null
  readonly remove?: Json | null
  readonly txn?: Json | null
  readonly commitInfo?: Json | null
}

export function parseCommit(version: number, bytes: Uint8Array, key: string): Commit {
  try {
    const lines = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')
    const actions = lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Action)
    return commitOf(version, actions, key)
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError('E_TABLE_DAMAGED', `${key} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

export function commitOf(version: number, actions: readonly Action[], key: string): Commit {
  let metaData: MetaData | null = null
  const add: Commit['add'][number][] = []
  const remove: Commit['remove'][number][] = []
  const txns: Commit['txns'][number][] = []
  let info: Json = {}
  for (const action of actions) {
    if (action.protocol) refuseNewer(action.protocol, key)
    if (action.metaData) metaData = parseMetaData(action.metaData)
    if (action.add) add.push({ file: parseAdd(action.add), dataChange: action.add.dataChange !== false })
    if (action.remove) remove.push(parseRemove(action.remove))
    if (action.txn) txns.push(parseTxn(action.txn))
    if (action.commitInfo) info = action.commitInfo
  }
  return {
    version,
    timeMs: Number(info.timestamp ?? 0),
    commitId: (info.commitId as string | undefined) ?? null,
    metaData,
    add,
    remove,
    txns,
  }
}

function refuseNewer(
  { minReaderVersion, minWriterVersion }: NonNullable<Action['protocol']>,
  key: string,
): void {
  if (minReaderVersion <= PROTOCOL.minReaderVersion && minWriterVersion <= PROTOCOL.minWriterVersion) return
  const needed = `reader ${minReaderVersion} and writer ${minWriterVersion}`
  throw new TidemarkError('E_TABLE_VERSION', `${key} asks for Delta ${needed}, this release knows 1 and 2`)
}

export function parseMetaData(json: Json): MetaData {
  const schema = JSON.parse(json.schemaString as string) as { fields: Json[] }
  return {
    id: json.id as string,
    schema: {
      fields: schema.fields.map(({ name, type, nullable }) => ({ name, type, nullable }) as Field),
      partitionBy: (json.partitionColumns as string[] | null) ?? [],
    },
    configuration: mapOf(json.configuration) as Record<string, string>,
    createdMs: Number(json.createdTime ?? 0),
  }
}

export function metaDataJson({ id, schema, configuration, createdMs }: MetaData): Json {
  return {
    id,
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify({
      type: 'struct',
      fields: schema.fields.map(({ name, type, nullable }) => ({ name, type, nullable, metadata: {} })),
    }),
    partitionColumns: schema.partitionBy,
    configuration,
    createdTime: createdMs,
  }
}

function parseAdd(json: Json): DataFile {
  const stats = JSON.parse((json.stats as string | null) ?? '{}') as Json
  return {
    path: decodeURIComponent(json.path as string),
    size: Number(json.size),
    modifiedMs: Number(json.modificationTime),
    partition: mapOf(json.partitionValues),
    rows: Number(stats.numRecords ?? 0),
    min: (stats.minValues as Json) ?? {},
    max: (stats.maxValues as Json) ?? {},
    nulls: (stats.nullCount as { [column: string]: number }) ?? {},
    tags: mapOf(json.tags) as Record<string, string>,
  }
}

export function addJson(file: DataFile, dataChange: boolean): Json {
  return {
    path: encodeURI(file.path),
    partitionValues: file.partition,
    size: file.size,
    modificationTime: file.modifiedMs,
    dataChange,
    stats: JSON.stringify({
      numRecords: file.rows,
      minValues: file.min,
      maxValues: file.max,
      nullCount: file.nulls,
    }),
    tags: file.tags,
  }
}

function parseRemove(json: Json): Commit['remove'][number] {
  return {
    path: decodeURIComponent(json.path as string),
    deletedMs: Number(json.deletionTimestamp ?? 0),
    dataChange: json.dataChange !== false,
  }
}

export function removeJson(file: DataFile, deletedMs: number, dataChange: boolean): Json {
  return {
    path: encodeURI(file.path),
    deletionTimestamp: deletedMs,
    dataChange,
    extendedFileMetadata: true,
    partitionValues: file.partition,
    size: file.size,
  }
}

function parseTxn(json: Json): Commit['txns'][number] {
  const { lastUpdated } = json
  return {
    appId: json.appId as string,
    version: Number(json.version),
    lastUpdatedMs: lastUpdated === undefined || lastUpdated === null ? null : Number(lastUpdated),
  }
}

/** A map as an object, however the source holds it: an object, or a checkpoint's list of keys and values. */
function mapOf(value: unknown): Record<string, string | null> {
  if (value === null || value === undefined) return {}
  if (value instanceof Map) return Object.fromEntries(value)
  if (Array.isArray(value))
    return Object.fromEntries(value.map(({ key, value: held }) => [key, held ?? null]))
  return value as Record<string, string | null>
}
