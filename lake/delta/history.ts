import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { StoredObject } from '../store/port.ts'
import { lastCheckpoint } from './checkpoint.ts'
import type { Changes } from './port.ts'
import { replay, type State } from './replay.ts'
import { type Listing, lastAtOrBefore, TableLog, withCheckpoint } from './table-log.ts'

/**
 * Versions read back from the log: the newest checkpoint at or before the version, then the commits after it.
 *
 *     … 0039.json  0040.json 0040.checkpoint.parquet  0041.json  0042.json
 *                            └── state of 40 ───────▶ replay ───▶ 42
 *
 * A clean-up may remove what was just listed; it always leaves a newer checkpoint, so the list is read again. And a list may lag
 * behind what the store holds: what it shows is where to begin, and what follows is asked for by name until there is no more.
 */

/** Lists read before a file that is listed and cannot be found counts as damage. */
const LISTS_MAX = 3

/**
 * The newest version after `state` (null: none is known); `state` itself when there is nothing new. Of another table that was begun in
 * its place, which has another id, the newest one, whatever its number.
 */
export async function newest(log: TableLog, state: State | null): Promise<State | null> {
  if (state === null) return newestAfresh(log)
  const { version } = state
  const [objects, next] = await Promise.all([log.listFrom(version), log.readCommit(version + 1)])
  const listing = log.sort(objects)
  const last = listing.commits.at(-1) ?? version
  const goesOn = next !== null || last > version || listing.checkpoints.length > 0
  const own = objects.find(({ key }) => key === log.commitKey(version))
  if (!(await isStill(log, version, own, goesOn))) {
    const other = await begunAnew(log, state)
    if (other !== null) return other
  }
  if (next === null && last <= version) return state
  const read =
    next === null
      ? await log.readCommitsOn(version, last)
      : [next, ...(await log.readCommitsOn(version + 1, last))]
  // What came next is gone: it was cleaned up since.
  if (read.length < last - version) return newestAfresh(log)
  return replay(log.name, state, read)
}

/** Whether the commit of a version is the one that is known. Where the log goes on it may have been cleaned up. */
async function isStill(
  log: TableLog,
  version: number,
  listed: StoredObject | undefined,
  goesOn: boolean,
): Promise<boolean> {
  const get = () => log.store.get(log.commitKey(version))
  if (listed !== undefined) return !(await log.known.isAltered(version, listed, get))
  return goesOn || (await get()) !== null
}

/**
 * The newest version of the table that took the place of that of `state`; null where none did: what follows goes on from `state`, also
 * where the commit that was altered cannot be read. `state` where it cannot be told whose commits follow.
 */
async function begunAnew(log: TableLog, state: State): Promise<State | null> {
  const afresh = new TableLog(log.name, log.store)
  const found = await newestAfresh(afresh).catch(() => null)
  const standing = found ?? (await stateBefore(afresh, state.version).catch(() => null))
  if (standing === null) return state
  if (standing.metaData.id === state.metaData.id) return null
  if (found === null) return state
  log.become(afresh)
  return found
}

async function stateBefore(log: TableLog, version: number): Promise<State> {
  return stateAt(log, await look(log), version - 1)
}

async function newestAfresh(log: TableLog): Promise<State | null> {
  for (let lists = 1; ; lists++) {
    const listing = await look(log)
    const last = Math.max(listing.commits.at(-1) ?? -1, listing.checkpoints.at(-1) ?? -1)
    if (last < 0) return null
    try {
      const state = await stateAt(log, listing, last)
      const read = await log.readCommitsOn(last, last)
      return read.length === 0 ? state : replay(log.name, state, read)
    } catch (error) {
      if (lists === LISTS_MAX) throw error
    }
  }
}

/** The log as it is listed, with what stands there by name although it may not be listed yet: the last checkpoint, the first commit. */
async function look(log: TableLog): Promise<Listing> {
  const [listing, named] = await Promise.all([log.list(), lastCheckpoint(log)])
  const { commits, checkpoints } = listing
  if (named >= 0 && !checkpoints.includes(named) && (await isThere(log, named)))
    return withCheckpoint(listing, named)
  if (commits.length + checkpoints.length === 0 && (await log.readCommit(0)) !== null)
    return { commits: [0], checkpoints }
  return listing
}

/** Whether a checkpoint can be read: what names it is a hint. */
async function isThere(log: TableLog, checkpoint: number): Promise<boolean> {
  try {
    return (await log.readCheckpoint(checkpoint)) !== null
  } catch {
    return false
  }
}

/** The state at a version that `listing` reaches. A checkpoint that cannot be read is passed over for an older one. */
async function stateAt(log: TableLog, listing: Listing, version: number): Promise<State> {
  let reason: unknown = null
  let state: State | null = null
  for (const checkpoint of listing.checkpoints.filter((c) => c <= version).reverse()) {
    try {
      state = (await log.readCheckpoint(checkpoint))?.state ?? null
      if (state !== null) break
    } catch (error) {
      reason ??= error
    }
  }
  const from = state?.version ?? -1
  const commits = await log.readCommits(from, version)
  if (commits.length === version - from) return replay(log.name, state, commits)
  if (reason !== null) throw reason
  const missing = log.commitKey(from + 1 + commits.length)
  throw new TidemarkError('E_TABLE_DAMAGED', `${missing} is missing`)
}

/** The oldest version that can be read: from it on there is every commit, or a checkpoint and every commit after it. */
export function oldestReadable({ commits, checkpoints }: Listing): number | null {
  let i = commits.length - 1
  while (i > 0 && commits[i - 1] === commits[i]! - 1) i--
  const first = commits[i]
  if (first === 0) return 0
  if (first === undefined) return checkpoints.at(-1) ?? null
  return checkpoints.find((checkpoint) => checkpoint >= first - 1) ?? null
}

/**
 * The oldest version that has rows and all of its files: older ones may stand in the log, while a clean-up has removed files that they name.
 * Where no version has rows, the oldest one. Null where none can be read. What is newer than lists show is known by the newest
 * version, and what they still show although it is gone is asked for by name.
 */
export async function oldestKept(log: TableLog, newest: State | null): Promise<State | null> {
  if (newest === null) return null
  const listing = await log.withUnlisted(await look(log), newest.version)
  const first = oldestReadable(listing)
  if (first === null) return null
  const isThere = filesThere(log, newest)
  let kept: State | null = null
  let readable: State | null = null
  let [low, high] = [first, newest.version + 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    const state = await stateIfThere(log, listing, middle)
    if (state !== null && state.files.size > 0 && (await isWhole(state, isThere))) {
      kept = state
      high = middle
    } else {
      if (state !== null && state.files.size === 0) readable ??= state
      low = middle + 1
    }
  }
  return kept ?? (await stateIfThere(log, listing, first)) ?? readable ?? newest
}

/** Whether the table has a data file, which the newest version need not name; each is asked for once. */
function filesThere(log: TableLog, newest: State): (path: string) => Promise<boolean> {
  const { store } = log
  const has = (key: string) => store.has?.(key) ?? store.get(key).then((bytes) => bytes !== null)
  const asked = new Map<string, Promise<boolean>>()
  return async (path) => {
    if (newest.files.has(path)) return true
    let there = asked.get(path)
    if (there === undefined) {
      there = has(`${log.name}/${path}`)
      asked.set(path, there)
    }
    return there
  }
}

async function isWhole({ files }: State, isThere: (path: string) => Promise<boolean>): Promise<boolean> {
  for (const path of files.keys()) if (!(await isThere(path))) return false
  return true
}

/** The state at `version`; null where the log lacks some of what `listing` shows. */
async function stateIfThere(log: TableLog, listing: Listing, version: number): Promise<State | null> {
  try {
    return await stateAt(log, listing, version)
  } catch (error) {
    if (isError(error, 'E_TABLE_DAMAGED')) return null
    throw error
  }
}

/** The state at `version`; `newest` is that of the newest one, null where there is none. Throws `E_VERSION_GONE`. */
export async function readVersion(log: TableLog, version: number, newest: State | null): Promise<State> {
  const listing = await look(log)
  const oldest = oldestReadable(listing)
  const gone = () => goneVersion(log, `version ${version}`, newest)
  if (
    oldest === null ||
    !Number.isInteger(version) ||
    version < oldest ||
    version > (newest?.version ?? -1)
  ) {
    throw await gone()
  }
  try {
    return await stateAt(log, listing, version)
  } catch (error) {
    const kept = isError(error, 'E_TABLE_DAMAGED') ? await oldestKept(log, newest) : null
    // The list still showed what was cleaned up.
    throw kept !== null && version < kept.version ? await gone() : error
  }
}

/** The newest version committed at or before `timeMs`; throws `E_VERSION_GONE`. */
export async function readVersionAt(log: TableLog, timeMs: number, newest: State | null): Promise<number> {
  const listing = await look(log)
  const newestVersion = newest?.version ?? -1
  const first = oldestReadable(listing) ?? newestVersion + 1
  const versions = Array.from({ length: Math.max(0, newestVersion - first + 1) }, (_, i) => first + i)
  const found = await lastAtOrBefore(log, versions, timeMs)
  if (found === null) throw await goneVersion(log, `a version of ${new Date(timeMs).toISOString()}`, newest)
  return found
}

/** What is thrown for a version that cannot be read: it names those that can. */
export async function goneVersion(
  log: TableLog,
  what: string,
  newestState: State | null,
): Promise<TidemarkError> {
  const oldest = await oldestKept(log, newestState)
  const kept =
    oldest === null
      ? 'none can be read'
      : `the oldest is ${oldest.version}, of ${new Date(oldest.timeMs).toISOString()}, the newest ${newestState!.version}`
  return new TidemarkError('E_VERSION_GONE', `${log.name} does not hold ${what}: ${kept}`, { field: 'as_of' })
}

/** What the versions `(from, to]` changed; null when one of their commits is gone. */
export async function readChanges(log: TableLog, from: number, to: number): Promise<Changes | null> {
  const commits = await log.readCommits(from, to)
  if (commits.length < to - from) return null
  return {
    added: commits.flatMap(({ added }) => added.filter((a) => a.dataChange).map(({ file }) => file)),
    removed: commits.flatMap(({ removed }) => removed.filter((r) => r.dataChange).map(({ path }) => path)),
  }
}
