import { TidemarkError } from '../../schemas/errors.ts'
import { type Commit, damaged, type MetaData, type Protocol, type Tombstone } from './actions.ts'
import type { Snapshot } from './port.ts'
import { parseSchema } from './schema-string.ts'

/**
 * A version as its writers need it: the snapshot, and what is kept for later. States are never changed: each version is a
 * new one that shares what it did not touch.
 */
export interface State extends Snapshot {
  readonly protocol: Protocol
  readonly metaData: MetaData
  /** Removed files by path, as long as the log remembers them. */
  readonly tombstones: ReadonlyMap<string, Tombstone>
  /** appId → the version that last set it. A checkpoint does not say: then its own version, which is no earlier. */
  readonly txnSetAt: ReadonlyMap<string, number>
  /** The version that last set the metadata, likewise. */
  readonly metaDataSetAt: number
}

/**
 * The state after `commits`, which follow `state` without a gap; null is the state before version 0. The maps are copied
 * once, whatever the number of commits. `name` is the table's, for messages.
 */
export function replay(name: string, state: State | null, commits: readonly Commit[]): State {
  const files = copyIf(commits.some(changesFiles), state?.files)
  const tombstones = copyIf(commits.some(changesFiles), state?.tombstones)
  const txns = copyIf(commits.some(setsTxns), state?.txns)
  const txnSetAt = copyIf(commits.some(setsTxns), state?.txnSetAt)
  let protocol = state?.protocol ?? null
  let metaData = state?.metaData ?? null
  let metaDataSetAt = state?.metaDataSetAt ?? 0
  let version = state?.version ?? -1
  let timeMs = state?.timeMs ?? -1
  for (const commit of commits) {
    version = commit.version
    timeMs = Math.max(timeMs + 1, commit.timeMs ?? 0)
    protocol = commit.protocol ?? protocol
    if (commit.metaData !== null) {
      metaData = commit.metaData
      metaDataSetAt = version
    }
    for (const tombstone of commit.removed) {
      files.delete(tombstone.path)
      tombstones.set(tombstone.path, { ...tombstone, deletedMs: tombstone.deletedMs || timeMs })
    }
    for (const { file } of commit.added) {
      files.set(file.path, file)
      tombstones.delete(file.path)
    }
    for (const [appId, txn] of commit.txns) {
      txns.set(appId, txn)
      txnSetAt.set(appId, version)
    }
  }
  if (protocol === null || metaData === null) {
    throw new TidemarkError('E_TABLE_DAMAGED', `the log of ${name} begins without protocol or metadata`)
  }
  return {
    version,
    timeMs,
    protocol,
    metaData,
    metaDataSetAt,
    schema: metaData === state?.metaData ? state.schema : schemaOf(name, metaData),
    configuration: metaData.configuration,
    files,
    tombstones,
    txns,
    txnSetAt,
  }
}

const changesFiles = ({ added, removed }: Commit) => added.length > 0 || removed.length > 0
const setsTxns = ({ txns }: Commit) => txns.size > 0

/** A map of its own where it will be changed, else the one there is. */
function copyIf<K, V>(isChanged: boolean, map: ReadonlyMap<K, V> | undefined): Map<K, V> {
  return isChanged || map === undefined ? new Map(map) : (map as Map<K, V>)
}

function schemaOf(name: string, metaData: MetaData): State['schema'] {
  try {
    return parseSchema(name, metaData.schemaString, metaData.partitionColumns)
  } catch (error) {
    throw damaged(`schema of ${name}`, error)
  }
}

/** `state` without the tombstones of files that were removed at or before `untilMs`. */
export function forgetTombstones(state: State, untilMs: number): State {
  const kept = [...state.tombstones].filter(([, { deletedMs }]) => deletedMs > untilMs)
  return kept.length === state.tombstones.size ? state : { ...state, tombstones: new Map(kept) }
}
