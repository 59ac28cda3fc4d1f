import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import { commitFiles, importApp, type NewFile } from './delta.ts'

/**
 * Made history: messages that come evenly, from the services in turn, each from the next host of its own. They are written
 * as imports are, into partition −1 and past the log: 864,000 in less than a second.
 */
export interface History {
  readonly services: number
  /** A multiple of the services. */
  readonly hosts: number
  readonly days: number
  readonly messagesADay: number
  /** Midnight in UTC. */
  readonly startMs: number
}

const HOURS = 24
/** Messages that share an offset, as those of a block do. */
const BLOCK_MESSAGES = 50

export const messagesOf = ({ days, messagesADay }: History) => days * messagesADay

/** Names sort as numbers do. */
export const serviceName = (n: number) => `service-${String(n).padStart(4, '0')}`
export const hostName = (n: number) => `host-${String(n).padStart(5, '0')}`

/** Writes and commits all of a history, in one version. */
export async function writeHistory(db: DuckDBConnection, lake: string, history: History): Promise<void> {
  const files: NewFile[] = []
  for (let day = 0; day < history.days; day++) {
    const firstOffset = Math.floor((day * history.messagesADay) / BLOCK_MESSAGES)
    files.push(
      await writeRows(db, lake, history, { day, hours: null, salt: 0, firstOffset, name: 'history' }),
    )
  }
  const last = Math.ceil(messagesOf(history) / BLOCK_MESSAGES)
  await commitFiles(join(lake, 'messages'), files, { import: last, [importApp('history')]: 1 })
}

/** Commits what comes late for one hour: as many messages as it has, with values of their own. `round` counts from 1. */
export async function writeLateHour(
  db: DuckDBConnection,
  lake: string,
  history: History,
  { day, hour, round }: { readonly day: number; readonly hour: number; readonly round: number },
): Promise<void> {
  const name = `late-${round}`
  const firstOffset = Math.ceil((messagesOf(history) * (1 + round)) / BLOCK_MESSAGES)
  const file = await writeRows(db, lake, history, { day, hours: [hour], salt: round, firstOffset, name })
  const app = { import: firstOffset + history.messagesADay, [importApp(name)]: 1 }
  await commitFiles(join(lake, 'messages'), [file], app)
}

interface Rows {
  readonly day: number
  /** Null: all of the day. */
  readonly hours: readonly number[] | null
  /** Other values for another salt. */
  readonly salt: number
  readonly firstOffset: number
  readonly name: string
}

/** What message `i` of a day says of its host. */
export function sampleSql(
  { services, hosts, messagesADay, startMs }: History,
  day: number,
  salt = 0,
): string {
  const ms = `${startMs + day * DAY_MS} + i * ${DAY_MS} // ${messagesADay}`
  // Whole percentages: their totals are exact, whoever adds them up in whatever order.
  const gauge = (k: number) =>
    `(((i + ${day * messagesADay} + ${salt * 7_919}) * ${k} * 2654435761 % 4294967296) // 65536 % 101)::DOUBLE`
  return `'service-' || lpad((i % ${services})::VARCHAR, 4, '0') AS service,
      'host-' || lpad((i % ${hosts})::VARCHAR, 5, '0') AS host, make_timestamptz((${ms}) * 1000) AS time_stamp,
      ${gauge(1)} AS cpu, ${gauge(3)} AS ram, ${gauge(7)} AS disk`
}

async function writeRows(
  db: DuckDBConnection,
  lake: string,
  history: History,
  { day, hours, salt, firstOffset, name }: Rows,
): Promise<NewFile> {
  const { messagesADay, startMs } = history
  const fromMs = startMs + day * DAY_MS
  const date = new Date(fromMs).toISOString().slice(0, 10)
  const path = `date=${date}/${name}.parquet`
  await mkdir(join(lake, 'messages', `date=${date}`), { recursive: true })
  const hour = `i * ${HOURS} // ${messagesADay}`
  const rows = `SELECT ${sampleSql(history, day, salt)}, NULL::VARCHAR AS agent, NULL::BIGINT AS seq,
      -1::INTEGER AS "partition", (${firstOffset} + i // ${BLOCK_MESSAGES})::BIGINT AS "offset",
      (i % ${BLOCK_MESSAGES})::INTEGER AS "index"
    FROM range(${messagesADay}) of(i) WHERE ${hours === null ? 'true' : `${hour} IN (${hours.join(', ')})`}
    ORDER BY ${hour}, service, host, time_stamp`
  const written = await db.run(
    `COPY (${rows}) TO '${join(lake, 'messages', path)}' (FORMAT parquet, COMPRESSION zstd)`,
  )
  const lastOffset = firstOffset + Math.floor(messagesADay / BLOCK_MESSAGES)
  const first = hours?.[0] ?? 0
  const end = (hours?.at(-1) ?? HOURS - 1) + 1
  return {
    path,
    rows: written.rowsChanged,
    date,
    minTime: new Date(fromMs + first * HOUR_MS).toISOString(),
    maxTime: new Date(fromMs + end * HOUR_MS - 1).toISOString(),
    tags: {
      hours: (hours ?? Array.from({ length: HOURS }, (_, n) => n)).join(','),
      offsets: JSON.stringify({ '-1': [firstOffset, lastOffset] }),
    },
  }
}
