import type { DataFile, Table } from '../../lake/delta/port.ts'
import type { DatasetTables, LakeTables } from '../../lake/tables/deployment.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { DAY_MS, utcDate } from '../../schemas/time.ts'

/** Tables are not looked at again before: each look at a bucket is a paid request. */
const REST_MS = 60_000
/** The whole dates, back from yesterday, by which growth is measured. */
const GROWTH_DAYS = 7
const GB = 1e9

/** What the newest versions of a dataset's tables take in the lake; superseded files and logs are not part of it. */
export interface DatasetStorage {
  readonly dataset: string
  readonly rows: number
  readonly files: number
  readonly bytes: number
  readonly messages_bytes: number
  readonly views_bytes: number
  readonly ticks_bytes: number
  /** Of cells whose messages are expired. */
  readonly frozen_bytes: number
  /** Bytes of a whole date in messages and views, frozen cells included, the mean of the last seven; null before there is one. */
  readonly grows_by_day_bytes: number | null
  /** What `bytes` cost in a month, and by how much a day more makes that dearer; absent without a price. */
  readonly price_by_month?: number
  readonly price_grows_by_day?: number | null
}

/** Returns what each dataset takes, looked at seldom; null where the lake cannot be read. */
export function storageUse(
  tables: Pick<LakeTables, 'datasets'>,
  gbMonthPrice: number,
  clock: Clock,
): () => Promise<readonly DatasetStorage[] | null> {
  let known: Promise<readonly DatasetStorage[] | null> | null = null
  let lookedMs = 0
  return () => {
    const nowMs = clock.nowMs()
    if (known === null || Math.abs(nowMs - lookedMs) >= REST_MS) {
      lookedMs = nowMs
      known = Promise.all(tables.datasets.map((one) => storageOf(one, gbMonthPrice, nowMs))).catch(() => null)
    }
    return known
  }
}

async function storageOf(
  { dataset, messages, views }: DatasetTables,
  gbMonthPrice: number,
  nowMs: number,
): Promise<DatasetStorage> {
  const own = await filesOf(messages)
  const published = (await Promise.all(views.map((view) => filesOf(view.published)))).flat()
  const ticks = (await Promise.all(views.map((view) => filesOf(view.ticks)))).flat()
  const frozen = (await Promise.all(views.map((view) => filesOf(view.frozen)))).flat()
  const parts = {
    messages_bytes: bytesOf(own),
    views_bytes: bytesOf(published),
    ticks_bytes: bytesOf(ticks),
    frozen_bytes: bytesOf(frozen),
  }
  const bytes = Object.values(parts).reduce((sum, part) => sum + part, 0)
  const growth = growthOf([...own, ...published, ...frozen], nowMs)
  const price = (of: number) => (of / GB) * gbMonthPrice
  return {
    dataset: dataset.name,
    rows: own.reduce((sum, file) => sum + file.rows, 0),
    files: own.length + published.length + ticks.length + frozen.length,
    bytes,
    ...parts,
    grows_by_day_bytes: growth,
    ...(gbMonthPrice > 0 && {
      price_by_month: price(bytes),
      price_grows_by_day: growth === null ? null : price(growth),
    }),
  }
}

async function filesOf(table: Table): Promise<DataFile[]> {
  return [...((await table.snapshot())?.files.values() ?? [])]
}

const bytesOf = (files: readonly DataFile[]) => files.reduce((sum, { size }) => sum + size, 0)

/** By the dates of the rows: imported history and merged files are no growth. */
function growthOf(files: readonly DataFile[], nowMs: number): number | null {
  const [from, to] = [utcDate(nowMs - GROWTH_DAYS * DAY_MS), utcDate(nowMs)]
  const recent = files.filter(({ partition: { date } }) => date! >= from && date! < to)
  const [first] = recent.map(({ partition }) => partition.date!).sort()
  if (first === undefined) return null
  return Math.round(bytesOf(recent) / ((Date.parse(to) - Date.parse(first)) / DAY_MS))
}
