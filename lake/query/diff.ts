import { isError, TidemarkError } from '../../schemas/errors.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { parseDefinition, type View } from '../../schemas/view.ts'
import type { Snapshot, Table } from '../delta/port.ts'
import { viewState } from '../tables/published.ts'
import { pathAt, tableSql } from './catalog.ts'
import type { LakeQueries } from './queries.ts'
import type { QueryValue } from './values.ts'

/** What changed between two published versions of a view. */
export interface VersionDiff {
  readonly view: string
  /** The columns by which cells are compared: those that both are keyed by. */
  readonly key: readonly string[]
  readonly a: DiffSide
  readonly b: DiffSide
  /** Cells by what became of them; those that are equal in every figure are not counted. */
  readonly cells: { readonly added: number; readonly removed: number; readonly changed: number }
  /** Of each gauge that both have: cells in which it differs, its totals, and the cell whose total differs most. */
  readonly gauges: readonly GaugeDiff[]
  /** The keys with most cells that differ, at most `KEYS_MAX`. */
  readonly keys: readonly KeyDiff[]
}

export interface DiffSide {
  readonly version: number
  readonly definition: string
  readonly key: readonly string[]
  readonly gauges: readonly string[]
  readonly cells: number
  readonly messages: number
}

export interface GaugeDiff {
  readonly gauge: string
  readonly changed: number
  readonly totalA: number
  readonly totalB: number
  readonly most: {
    readonly key: readonly string[]
    readonly time: string
    readonly a: number
    readonly b: number
  } | null
}

export interface KeyDiff {
  readonly key: readonly string[]
  readonly added: number
  readonly removed: number
  readonly changed: number
  readonly messagesA: number
  readonly messagesB: number
}

const KEYS_MAX = 100

/**
 * Compares version `a` of a view with version `b`. Files that both have are not read. Where their keys differ, the cells of each are
 * added up by the columns and the times that both have. Throws `E_QUERY` where there is no such column.
 */
export async function diffVersions(
  queries: LakeQueries,
  table: Table,
  { a, b }: { a: number; b: number },
  signal: AbortSignal,
): Promise<VersionDiff> {
  const sides = [await sideOf(table, a, 'a'), await sideOf(table, b, 'b')] as const
  const [first, second] = sides
  const key = first.view.key.filter((column) => second.view.key.includes(column))
  if (key.length === 0)
    throw new TidemarkError(
      'E_QUERY',
      `${table.name} has the key ${first.view.key} in version ${a} and ${second.view.key} in ${b}: no cell is comparable`,
      {
        field: 'b',
      },
    )
  const shared = new Set([...first.snapshot.files.keys()].filter((path) => second.snapshot.files.has(path)))
  const gauges = gaugesOf(first).filter((gauge) => gaugesOf(second).includes(gauge))
  const isSame =
    sides.every(({ view }) => String(view.key) === String(key)) &&
    first.view.bucketMs === second.view.bucketMs
  const bucketMs = Math.max(first.view.bucketMs, second.view.bucketMs)
  const as = (sql: string) => (isSame ? sql : summedSql(sql, key, gauges, bucketMs))
  const views = [
    await viewOf(table, 'a', first.snapshot, (path) => !shared.has(path), as),
    await viewOf(table, 'b', second.snapshot, (path) => !shared.has(path), as),
    await viewOf(table, 'shared', first.snapshot, (path) => shared.has(path), as),
  ]
  const messages = (name: string) => `(SELECT coalesce(sum(msg_num), 0)::BIGINT FROM ${name})`
  const [counts, byGauge, byKey, totals] = await queries.runOver(
    views,
    `CREATE TEMP TABLE cells AS ${cellsSql(key, gauges, isSame)}`,
    [
      'SELECT count(*) FILTER (a_n IS NULL), count(*) FILTER (b_n IS NULL), count(*) FILTER (differs) FROM cells',
      gauges.length === 0
        ? 'SELECT 1 WHERE false'
        : gauges.map((gauge) => gaugeSql(key, gauge)).join(' UNION ALL '),
      keySql(key),
      `SELECT ${messages('a')} + ${messages('shared')}, ${messages('b')} + ${messages('shared')}`,
    ],
    signal,
  )
  const [added, removed, changed] = counts![0] as number[]
  const side = ({ snapshot, hash, view }: Side, at: 0 | 1): DiffSide => ({
    version: snapshot.version,
    definition: hash,
    key: view.key,
    gauges: view.gauges.map(({ gauge }) => gauge),
    cells: [...snapshot.files.values()].reduce((sum, { rows }) => sum + rows, 0),
    messages: number(totals![0]![at]),
  })
  return {
    view: table.name,
    key,
    a: side(first, 0),
    b: side(second, 1),
    cells: { added: added!, removed: removed!, changed: changed! },
    gauges: byGauge!.map(([gauge, n, totalA, totalB, most]) => ({
      gauge: String(gauge),
      changed: number(n),
      totalA: number(totalA),
      totalB: number(totalB),
      most: mostOf(most as { [name: string]: QueryValue } | null, key),
    })),
    keys: byKey!.map((row) => ({
      key: key.map((_, k) => String(row[k])),
      added: number(row[key.length]),
      removed: number(row[key.length + 1]),
      changed: number(row[key.length + 2]),
      messagesA: number(row[key.length + 3]),
      messagesB: number(row[key.length + 4]),
    })),
  }
}

const gaugesOf = ({ view }: Side) => view.gauges.map(({ gauge }) => gauge)

interface Side {
  readonly snapshot: Snapshot
  readonly view: View
  readonly hash: string
}

/** The version that a request names `a` or `b`. */
async function sideOf(table: Table, version: number, named: 'a' | 'b'): Promise<Side> {
  const snapshot = await table.at(version).catch((error) => {
    if (!isError(error, 'E_VERSION_GONE')) throw error
    throw new TidemarkError('E_VERSION_GONE', error.message, { field: named, cause: error })
  })
  const state = viewState(snapshot)
  const view = state === null ? null : parseDefinition(state.definition)
  if (view === null) {
    const nothing = `nothing was published in version ${version} of ${table.name}`
    const error = await table.goneOr(new TidemarkError('E_VERSION_GONE', nothing), version)
    throw new TidemarkError('E_VERSION_GONE', error instanceof Error ? error.message : nothing, {
      field: named,
    })
  }
  return { snapshot, view, hash: state!.hash }
}

/** The files of a version for which `wanted` holds, as a relation. */
async function viewOf(
  table: Table,
  name: string,
  { files, schema, version }: Snapshot,
  wanted: (path: string) => boolean,
  as: (sql: string) => string,
) {
  const paths: string[] = []
  for (const file of files.values()) if (wanted(file.path)) paths.push(await pathAt(table, file, version))
  return { name, paths, sql: as(tableSql(schema, paths)) }
}

const number = (value: QueryValue | undefined) => Number(value ?? 0)
const named = (names: readonly string[], prefix = '') => names.map((name) => `${prefix}${duckdb.name(name)}`)

/**
 * Cells added up by columns that are not all of their key, or in longer buckets; the time of a maximum is not told. An absent value of
 * an optional gauge stays absent.
 */
function summedSql(
  cells: string,
  key: readonly string[],
  gauges: readonly string[],
  bucketMs: number,
): string {
  const values = gauges.flatMap((gauge) => [
    `sum(${duckdb.name(gauge)}) AS ${duckdb.name(gauge)}`,
    `max(${duckdb.name(`max_${gauge}`)}) AS ${duckdb.name(`max_${gauge}`)}`,
    `min(${duckdb.name(`min_${gauge}`)}) AS ${duckdb.name(`min_${gauge}`)}`,
  ])
  const time = `make_timestamptz(epoch_ms(time_stamp) // ${bucketMs} * ${bucketMs} * 1000) AS time_stamp`
  const summed = [...named(key), time, 'sum(msg_num)::BIGINT AS msg_num', ...values]
  return `SELECT ${summed.join(', ')} FROM (${cells}) GROUP BY ALL`
}

/** A row for each cell that one version has and the other has not, or that differs: key, time, and what both say. */
function cellsSql(key: readonly string[], gauges: readonly string[], isTimed: boolean): string {
  const differ = (name: string) => `a.${duckdb.name(name)} IS DISTINCT FROM b.${duckdb.name(name)}`
  const columns = (gauge: string) => [
    ...[gauge, `max_${gauge}`, `min_${gauge}`],
    ...(isTimed ? [`max_${gauge}_time`] : []),
  ]
  const anyDiffers = ['msg_num', ...gauges.flatMap(columns)].map(differ).join(' OR ')
  const both = gauges.flatMap((gauge) => [
    `a.${duckdb.name(gauge)} AS ${duckdb.name(`a_${gauge}`)}`,
    `b.${duckdb.name(gauge)} AS ${duckdb.name(`b_${gauge}`)}`,
    `(${columns(gauge).map(differ).join(' OR ')}) AS ${duckdb.name(`differs_${gauge}`)}`,
  ])
  const cell = [...key, 'time_stamp'].map((name) => duckdb.name(name)).join(', ')
  const inBoth = 'a.msg_num IS NOT NULL AND b.msg_num IS NOT NULL'
  const values = [
    cell,
    'a.msg_num AS a_n',
    'b.msg_num AS b_n',
    `(${inBoth} AND (${anyDiffers})) AS differs`,
    ...both,
  ]
  return `SELECT ${values.join(', ')} FROM a FULL OUTER JOIN b USING (${cell}) WHERE ${anyDiffers}`
}

/** Of a gauge: its name, cells in which it differs, both totals of these, the one that differs most. */
function gaugeSql(key: readonly string[], gauge: string): string {
  const [a, b] = [duckdb.name(`a_${gauge}`), duckdb.name(`b_${gauge}`)]
  const cell = [
    ...key.map((name, k) => `'k${k}': ${duckdb.name(name)}`),
    `'t': time_stamp`,
    `'a': ${a}`,
    `'b': ${b}`,
  ]
  return `SELECT ${duckdb.text(gauge)}, count(*), coalesce(sum(${a}), 0), coalesce(sum(${b}), 0),
    arg_max({${cell.join(', ')}}, abs(coalesce(${b}, 0) - coalesce(${a}, 0)))
    FROM cells WHERE ${duckdb.name(`differs_${gauge}`)}`
}

function keySql(key: readonly string[]): string {
  return `SELECT ${named(key).join(', ')}, count(*) FILTER (a_n IS NULL), count(*) FILTER (b_n IS NULL), count(*) FILTER (differs),
    coalesce(sum(a_n), 0)::BIGINT, coalesce(sum(b_n), 0)::BIGINT
    FROM cells GROUP BY ALL ORDER BY count(*) DESC, ${named(key).join(', ')} LIMIT ${KEYS_MAX}`
}

function mostOf(cell: { [name: string]: QueryValue } | null, key: readonly string[]): GaugeDiff['most'] {
  if (cell === null) return null
  const { t, a, b } = cell
  return {
    key: key.map((_, k) => String(cell[`k${k}`])),
    time: String(t),
    a: Number(a ?? 0),
    b: Number(b ?? 0),
  }
}
