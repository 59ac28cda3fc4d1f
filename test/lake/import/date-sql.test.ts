import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dateSql, type Ranks, ranksOf } from '../../../lake/import/date-sql.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { DAY_MS, HOUR_MS } from '../../../schemas/time.ts'
import { compareUtf8 } from '../../../schemas/utf8.ts'

const FROM_MS = Date.UTC(1969, 11, 31)
const NAMES = ['a', 'Z', '\uFFEE', '\u{1F30A}', 'ä']

interface Row {
  readonly r: number
  readonly names: readonly [string, string]
  readonly ms: number
}

/** In no order; many share hour, names and time. */
const ROWS = Array.from({ length: 3_000 }, (_, i): Row => {
  const step = (i * 7_919) % 3_000
  const names = [NAMES[step % 5]!, NAMES[(step >> 3) % 4]!] as const
  return { r: i + 1, names, ms: FROM_MS + (step % 97) * (DAY_MS / 97 - 1) }
})

let db: DuckDBConnection
let instance: DuckDBInstance
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:')
  db = await instance.connect()
  const values = ROWS.map(({ r, names: [a, b], ms }) => `(${r}, '${a}', '${b}', ${Math.floor(ms)}::BIGINT)`)
  await db.run(`CREATE TABLE staged AS SELECT r, n0, n1, ms, 1.5 AS g0, 2 AS g1, 3 AS g2, NULL::VARCHAR AS ag, NULL::BIGINT AS sq
    FROM (VALUES ${values.join()}) AS of(r, n0, n1, ms)`)
  for (const column of [0, 1]) await db.run(ranksOf(`rank${column}`, NAMES)!.sql)
})
afterAll(() => {
  db.closeSync()
  instance.closeSync()
})

const ranks = (names: number): (Ranks | null)[] => [0, 1].map((n) => ({ type: `rank${n}`, names }))

test.each<[string, (Ranks | null)[]]>([
  ['by one number', ranks(NAMES.length)],
  ['by ranks that are too many for one number', ranks(2 ** 30)],
  ['by a rank and a name', [ranks(NAMES.length)[0]!, null]],
  ['by names', []],
])('rows of a date are sorted %s: by hour, names, time and place', async (_, known) => {
  const where = `r <> 17 AND n0 <> 'Z'`
  const sql = dateSql('staged', host, { offset: 4, fromMs: FROM_MS, where, ranks: known })
  const rows = (
    await db.runAndReadAll(`SELECT "index", service, host, epoch_ms(time_stamp)::DOUBLE FROM (${sql})`)
  ).getRowsJS()

  const hour = ({ ms }: Row) => Math.floor((ms - FROM_MS) / HOUR_MS)
  const expected = ROWS.map((row) => ({ ...row, ms: Math.floor(row.ms) }))
    .filter(({ r, names }) => r !== 17 && names[0] !== 'Z')
    .sort(
      (a, b) =>
        hour(a) - hour(b) ||
        compareUtf8(a.names[0], b.names[0]) ||
        compareUtf8(a.names[1], b.names[1]) ||
        a.ms - b.ms ||
        a.r - b.r,
    )
  expect(rows).toEqual(expected.map(({ r, names, ms }) => [r, ...names, ms]))
})

test('a name that was not there when names were read leaves its row out', async () => {
  const [first] = NAMES
  await db.run(ranksOf('rank_less', NAMES.slice(1))!.sql)
  const less = [{ type: 'rank_less', names: NAMES.length - 1 }, ranks(NAMES.length)[1]!]
  const sql = dateSql('staged', host, { offset: 4, fromMs: FROM_MS, where: 'true', ranks: less })
  const [[count]] = (await db.runAndReadAll(`SELECT count(*)::DOUBLE FROM (${sql})`)).getRowsJS() as [
    [number],
  ]
  expect(count).toBe(ROWS.filter(({ names }) => names[0] !== first).length)
})

test('names that no message may have, none and very many have no ranks', () => {
  expect(ranksOf('t', ['b', 'a\u0007', "a'"])).toEqual({
    type: 't',
    names: 2,
    sql: "CREATE TYPE t AS ENUM ('a''', 'b')",
  })
  expect(ranksOf('t', ['\u0007'])).toBeNull()
  expect(
    ranksOf(
      't',
      Array.from({ length: 10_001 }, (_, i) => `n${i}`),
    ),
  ).toBeNull()
})
