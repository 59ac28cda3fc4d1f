import type { Commit, MetaData } from './actions.ts'
import type { DataFile, Snapshot, Txn } from './port.ts'

/** The table at one version, as replaying its log gives it: a snapshot, and what a checkpoint needs besides. */
export interface TableState extends Snapshot {
  readonly metaData: MetaData
  /** Files removed, with the time of their removal; forgotten by checkpoints after the retention. */
  readonly tombstones: ReadonlyMap<string, Tombstone>
}

export interface Tombstone {
  readonly deletedMs: number
  readonly file: DataFile | null
}

/** `before` with one more commit; `before` is null for version 0. */
export function applyCommit(before: TableState | null, commit: Commit): TableState {
  const metaData = commit.metaData ?? before?.metaData
  if (metaData === undefined) throw new Error(`version ${commit.version} comes before any metaData`)
  const { files, tombstones } = changedFiles(before, commit)
  let txns: ReadonlyMap<string, Txn> = before?.txns ?? new Map()
  if (commit.txns.length > 0) {
    const next = new Map(txns)
    for (const { appId, version, lastUpdatedMs } of commit.txns) next.set(appId, { version, lastUpdatedMs })
    txns = next
  }
  return stateOf({ version: commit.version, timeMs: commit.timeMs, metaData, files, txns, tombstones })
}

function changedFiles(before: TableState | null, commit: Commit): Pick<TableState, 'files' | 'tombstones'> {
  if (before !== null && commit.add.length === 0 && commit.remove.length === 0) return before
  const files = new Map(before?.files)
  const tombstones = new Map(before?.tombstones)
  for (const { path, deletedMs } of commit.remove) {
    tombstones.set(path, { deletedMs, file: files.get(path) ?? null })
    files.delete(path)
  }
  for (const { file } of commit.add) {
    files.set(file.path, file)
    tombstones.delete(file.path)
  }
  return { files, tombstones }
}

export function stateOf(parts: Omit<TableState, 'schema' | 'configuration'>): TableState {
  return { ...parts, schema: parts.metaData.schema, configuration: parts.metaData.configuration }
}
