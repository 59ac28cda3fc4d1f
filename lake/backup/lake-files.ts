import { TidemarkError } from '../../schemas/errors.ts'
import { lastCheckpoint } from '../delta/checkpoint.ts'
import type { Snapshot, Table } from '../delta/port.ts'
import { TableLog } from '../delta/table-log.ts'
import { SCRATCH } from '../scratch.ts'
import type { ObjectStore, StoredObject } from '../store/port.ts'
import { SET_ASIDE } from '../tables/made-anew.ts'

/** Which objects of a lake make a table at its newest version, and which belong to no table. */
export interface LakeFiles {
  readonly tables: readonly string[]
  readonly others: readonly string[]
}

/** The owner of the lake, what jobs are writing, and damaged logs are nothing to take along. */
const PASSING = ['_lease/', SCRATCH, SET_ASIDE]
const LOG_NAME = /\/_delta_log\/(\d{20})\.(?:json|checkpoint\.parquet)$/
const LAST_CHECKPOINT = '/_delta_log/_last_checkpoint'
/** Listings of a table whose log was tidied up meanwhile. */
const TRIES_MAX = 5

/**
 * The tables of a lake in the order in which they are to be read while others write: views before their ticks, then
 * messages, since a view names a version of them, which must then be there, and last the cells of those that are expired. `named`
 * are tables that may be there, although a list does not show them yet.
 */
export async function lakeFiles(lake: ObjectStore, named: readonly string[]): Promise<LakeFiles> {
  const keys = (await lake.list('')).map(({ key }) => key)
  const listed = keys.flatMap((key) => /^([^/]+)\/_delta_log\//.exec(key)?.[1] ?? [])
  const tables = new Set([...listed, ...named])
  const rank = (name: string) =>
    name.endsWith('_frozen') ? 3 : /(^|_)messages$/.test(name) ? 2 : name.endsWith('_ticks') ? 1 : 0
  return {
    tables: [...tables].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)),
    others: keys.filter(
      (key) => !PASSING.some((folder) => key.startsWith(folder)) && !tables.has(key.split('/')[0]!),
    ),
  }
}

/**
 * Gives `take` every object of a table up to its newest version, older versions that it still has included. Returns the
 * version. Throws `E_TABLE_DAMAGED` where a file that the version names cannot be had.
 */
export async function takeTable(
  lake: ObjectStore,
  table: Table,
  take: (object: StoredObject) => Promise<boolean>,
): Promise<number | null> {
  for (let tries = 1; ; tries++) {
    const snapshot = await table.snapshot()
    if (snapshot === null) return null
    const { version } = snapshot
    const taken = new Set<string>()
    let whole = true
    for (const object of await objectsOf(lake, table.name, snapshot)) {
      const { key } = object
      if (!(await belongsTo(version, key, lake))) continue
      if (await take(object)) taken.add(key)
      else if (LOG_NAME.test(key)) whole = false
    }
    const missing = [...snapshot.files.keys()].find((path) => !taken.has(`${table.name}/${path}`))
    if (whole && missing === undefined) return version
    if (tries === TRIES_MAX)
      throw new TidemarkError(
        'E_TABLE_DAMAGED',
        `${table.name} ${version} names ${missing}, which is not there`,
      )
  }
}

/** What a list shows of a table, and what its version is made of although a list may not show it yet. */
async function objectsOf(lake: ObjectStore, name: string, snapshot: Snapshot): Promise<StoredObject[]> {
  const log = new TableLog(name, lake)
  const objects = new Map((await lake.list(`${name}/`)).map((object) => [object.key, object]))
  const checkpoint = await lastCheckpoint(log)
  const from = checkpoint <= snapshot.version ? checkpoint : -1
  const unlisted = [...snapshot.files.values()].map(({ path, size, modifiedMs }) => {
    return { key: `${name}/${path}`, size, modifiedMs }
  })
  const inLog = (key: string) => ({ key, size: 0, modifiedMs: 0 })
  if (from >= 0) unlisted.push(inLog(log.lastCheckpointKey), inLog(log.checkpointKey(from)))
  for (let version = from + 1; version <= snapshot.version; version++)
    unlisted.push(inLog(log.commitKey(version)))
  for (const object of unlisted) if (!objects.has(object.key)) objects.set(object.key, object)
  return [...objects.values()]
}

async function belongsTo(version: number, key: string, lake: ObjectStore): Promise<boolean> {
  const number = LOG_NAME.exec(key)?.[1]
  if (number !== undefined) return Number(number) <= version
  if (!key.endsWith(LAST_CHECKPOINT)) return true
  const last = JSON.parse(new TextDecoder().decode((await lake.get(key)) ?? undefined) || '{}') as {
    version?: number
  }
  return (last.version ?? Number.POSITIVE_INFINITY) <= version
}
