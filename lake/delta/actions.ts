import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { DataFile, Txn } from './port.ts'

/**
 * The actions of a commit: one JSON object a line, as in delta-io/delta PROTOCOL.md, "Actions". A commit is parsed whole
 * or refused: what is not understood is never skipped, because every skipped action would be a wrong answer.
 */

/** What a commit says. */
export interface Commit {
  readonly version: number
  /** `commitInfo.txnId`, which no other commit has; null when its writer gave none. */
  readonly id: string | null
  /** `commitInfo.timestamp`, likewise. */
  readonly timeMs: number | null
  /** `commitInfo.operation`, likewise. */
  readonly operation: string | null
  readonly protocol: Protocol | null
  readonly metaData: MetaData | null
  readonly added: readonly { readonly file: DataFile; readonly dataChange: boolean }[]
  readonly removed: readonly Tombstone[]
  readonly txns: ReadonlyMap<string, Txn>
}

export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
}

/** The `metaData` action, kept as it was written so that what is not used here survives a checkpoint. */
export interface MetaData {
  readonly id: string
  readonly name?: string | null
  readonly description?: string | null
  readonly format: { readonly provider: string; readonly options: { readonly [name: string]: string } }
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration: { readonly [name: string]: string }
  readonly createdTime?: number | null
}

/** The `remove` action: a file that older versions name. */
export interface Tombstone {
  readonly path: string
  /** When the commit that removed it was made, milliseconds. */
  readonly deletedMs: number
  readonly dataChange: boolean
  readonly size: number | null
  readonly partition: { readonly [column: string]: string | null } | null
}

/** What this project writes, and the newest it reads: tables without any later feature. */
export const PROTOCOL: Protocol = { minReaderVersion: 1, minWriterVersion: 2 }

// --- writing ------------------------------------------------------------------------------------------------

export function serialise(actions: readonly object[]): Uint8Array {
  return new TextEncoder().encode(actions.map((action) => `${JSON.stringify(action)}\n`).join(''))
}

/** `txnId` is the commit's own id. Readers expect the parameters to be strings. */
export function commitInfo(
  timestamp: number,
  txnId: string,
  operation: string,
  info: { readonly [name: string]: unknown } = {},
): object {
  const operationParameters = Object.fromEntries(
    Object.entries(info).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
  return { commitInfo: { timestamp, operation, operationParameters, engineInfo: 'Tidemark', txnId } }
}

export function addAction(file: DataFile, dataChange: boolean): object {
  return { add: addFields(file, dataChange) }
}

/** The fields of `add`, in JSON and in checkpoints. A file of which nothing is known has no statistics. */
export function addFields(file: DataFile, dataChange: boolean) {
  const { rows, min, max, nulls } = file
  const known = rows > 0 || [min, max, nulls].some((of) => Object.keys(of).length > 0)
  return {
    path: encodePath(file.path),
    partitionValues: file.partition,
    size: file.size,
    modificationTime: file.modifiedMs,
    dataChange,
    ...(known
      ? { stats: JSON.stringify({ numRecords: rows, minValues: min, maxValues: max, nullCount: nulls }) }
      : {}),
    tags: file.tags,
  }
}

export function removeAction(tombstone: Tombstone): object {
  return { remove: removeFields(tombstone) }
}

export function removeFields({ path, deletedMs, dataChange, size, partition }: Tombstone) {
  return {
    path: encodePath(path),
    deletionTimestamp: deletedMs,
    dataChange,
    extendedFileMetadata: partition !== null,
    ...(partition === null ? {} : { partitionValues: partition }),
    ...(size === null ? {} : { size }),
  }
}

export function txnAction(appId: string, txn: Txn): object {
  return { txn: txnFields(appId, txn) }
}

export function txnFields(appId: string, { version, lastUpdatedMs }: Txn) {
  return { appId, version, ...(lastUpdatedMs === null ? {} : { lastUpdated: lastUpdatedMs }) }
}

/** Paths are URL-encoded in the log; `=` stays readable. */
export function encodePath(path: string): string {
  return encodeURIComponent(path).replaceAll('%2F', '/').replaceAll('%3D', '=')
}

// --- reading ------------------------------------------------------------------------------------------------

type Fields = { readonly [name: string]: unknown }

/** Throws `E_TABLE_DAMAGED` naming `file` for what cannot be read, `E_TABLE_VERSION` for what needs more than we know. */
export function parseCommit(file: string, version: number, bytes: Uint8Array): Commit {
  const draft = new Draft(version)
  const lines = decodeText(file, bytes).split('\n')
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue
    try {
      for (const [kind, fields] of Object.entries(record(JSON.parse(line)))) draft.take(file, kind, fields)
    } catch (error) {
      throw damaged(`${file}, line ${i + 1}`, error)
    }
  }
  if (draft.actions === 0) throw new TidemarkError('E_TABLE_DAMAGED', `${file} is empty`)
  return draft
}

/** Gathers actions, of a commit or of a checkpoint. */
export class Draft implements Commit {
  readonly version: number
  actions = 0
  id: string | null = null
  timeMs: number | null = null
  operation: string | null = null
  protocol: Protocol | null = null
  metaData: MetaData | null = null
  readonly added: { file: DataFile; dataChange: boolean }[] = []
  readonly removed: Tombstone[] = []
  readonly txns = new Map<string, Txn>()

  constructor(version: number) {
    this.version = version
  }

  /** Takes the action `kind` of `file`. Throws an error of any kind for fields that are not as they must be. */
  take(file: string, kind: string, value: unknown): void {
    const fields = record(value)
    this.actions += 1
    if (kind === 'commitInfo') {
      this.id = optional(fields.txnId, text)
      this.timeMs = optional(fields.timestamp, whole)
      this.operation = optional(fields.operation, text)
    } else if (kind === 'add')
      this.added.push({ file: parseAdd(fields), dataChange: fields.dataChange === true })
    else if (kind === 'remove') this.removed.push(parseRemove(fields))
    else if (kind === 'txn') this.txns.set(text(fields.appId), parseTxn(fields))
    else if (kind === 'metaData') this.metaData = parseMetaData(fields)
    else if (kind === 'protocol') this.protocol = parseProtocol(file, fields)
    else throw new TidemarkError('E_TABLE_VERSION', `${file} holds the action ${kind}, which is not known`)
  }
}

/** `error` as `E_TABLE_DAMAGED` at `place`, unless it says already what is wrong. */
export function damaged(place: string, error: unknown): TidemarkError {
  if (isError(error, 'E_TABLE_VERSION')) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new TidemarkError('E_TABLE_DAMAGED', `${place}: ${reason}`, { cause: error })
}

function decodeText(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw damaged(file, error)
  }
}

function parseAdd(fields: Fields): DataFile {
  const stats = record(JSON.parse(optional(fields.stats, text) ?? '{}'))
  return {
    path: decodeURIComponent(text(fields.path)),
    size: whole(fields.size),
    modifiedMs: whole(fields.modificationTime),
    partition: strings(fields.partitionValues),
    rows: optional(stats.numRecords, whole) ?? 0,
    min: optional(stats.minValues, record) ?? {},
    max: optional(stats.maxValues, record) ?? {},
    nulls: (optional(stats.nullCount, record) ?? {}) as DataFile['nulls'],
    tags: (optional(fields.tags, strings) ?? {}) as DataFile['tags'],
  }
}

function parseRemove(fields: Fields): Tombstone {
  return {
    path: decodeURIComponent(text(fields.path)),
    deletedMs: optional(fields.deletionTimestamp, whole) ?? 0,
    dataChange: fields.dataChange === true,
    size: optional(fields.size, whole),
    partition: optional(fields.partitionValues, strings),
  }
}

function parseTxn(fields: Fields): Txn {
  return { version: whole(fields.version), lastUpdatedMs: optional(fields.lastUpdated, whole) }
}

function parseMetaData(fields: Fields): MetaData {
  const format = optional(fields.format, record) ?? {}
  const columns = fields.partitionColumns
  if (!Array.isArray(columns)) throw new Error('partitionColumns is not a list')
  return {
    id: text(fields.id),
    name: optional(fields.name, text),
    description: optional(fields.description, text),
    format: {
      provider: optional(format.provider, text) ?? 'parquet',
      options: (optional(format.options, strings) ?? {}) as { [name: string]: string },
    },
    schemaString: text(fields.schemaString),
    partitionColumns: columns.map(text),
    configuration: (optional(fields.configuration, strings) ?? {}) as { [name: string]: string },
    createdTime: optional(fields.createdTime, whole),
  }
}

function parseProtocol(file: string, fields: Fields): Protocol {
  const minReaderVersion = whole(fields.minReaderVersion)
  const minWriterVersion = whole(fields.minWriterVersion)
  if (minReaderVersion > PROTOCOL.minReaderVersion || minWriterVersion > PROTOCOL.minWriterVersion) {
    const needs = `reader ${minReaderVersion} and writer ${minWriterVersion}`
    const features = new Set([fields.readerFeatures, fields.writerFeatures].flat().filter((one) => one))
    const by = features.size === 0 ? '' : ` with ${[...features].join(', ')}`
    throw new TidemarkError('E_TABLE_VERSION', `${file}: the table needs ${needs} of the Delta protocol${by}`)
  }
  return { minReaderVersion, minWriterVersion }
}

function record(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object')
  return value as Fields
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`not a string: ${JSON.stringify(value)}`)
  return value
}

function whole(value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (!Number.isSafeInteger(number)) throw new Error(`not a whole number: ${String(value)}`)
  return number as number
}

function strings(value: unknown): { readonly [name: string]: string | null } {
  const found = record(value)
  for (const one of Object.values(found)) if (one !== null) text(one)
  return found as { readonly [name: string]: string | null }
}

function optional<T>(value: unknown, parse: (value: unknown) => T): T | null {
  return value === undefined || value === null ? null : parse(value)
}
