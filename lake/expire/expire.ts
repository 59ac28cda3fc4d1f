import { CellFold } from '../../schemas/cell-fold.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { isError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import { offsetIn, type Position, partitionsOf } from '../../schemas/position.ts'
import type { DataFile, Snapshot, Table } from '../delta/port.ts'
import { describeCells, encodeCells } from '../parquet/cells.ts'
import { decodeMessages, describeMessages, encodeMessages } from '../parquet/messages.ts'
import { type MessageRows, rowsAt } from '../parquet/order.ts'
import type { DatasetTables } from '../tables/deployment.ts'
import { expireApp, frozenTags } from '../tables/frozen.ts'
import { viewSchema, viewState } from '../tables/published.ts'
import { dateBefore, type Keep, keepMsOf, lastExpired } from './keep.ts'

/**
 * Expiry: messages that are older than they are to be kept leave their table, and the cells that they made stay.
 *
 *     rows of a date ─▶ their cells, of each view ─▶ commit: `<view>_frozen`
 *                   └─▶ the files without them    ─▶ commit: `messages`, with the txn `expire/<id>`
 *
 * The second commit is the expiry: frozen cells count once `messages` says that their rows are gone (`frozenFiles`). So whatever
 * ends it in between, a row counts once: as itself, or in its cell. What the first commit left behind then means nothing, and is
 * removed (`unfinished.ts`).
 *
 * Only what every view has below its tidemark may go: then no tick holds it beside the cell. A row that arrives later for a
 * date that is frozen is a message like any other, until it expires as well and gets frozen cells of its own.
 */
export interface ExpireDeps {
  readonly clock: Clock
  readonly random: Random
  /** Aborts when it is to stop; its reason is thrown. */
  readonly signal: AbortSignal
}

/** What expired of a date. */
export interface ExpiredDate {
  readonly table: string
  readonly date: string
  readonly rows: number
  readonly files: number
}

/** Times that another writer was first. */
const TRIES_MAX = 10

/**
 * Expires what of a dataset is older than `keep` says, date by date, and tells `done` of each. `isDry`: says only what it would.
 * Ages are those at the table's newest version where the clock is ahead of it. Throws `E_FILE_DAMAGED`, `E_CONFLICT`.
 */
export async function expireMessages(
  tables: DatasetTables,
  { keep, isDry, done }: { keep: Keep; isDry: boolean; done(date: ExpiredDate): void },
  deps: ExpireDeps,
): Promise<void> {
  const { messages, dataset } = tables
  const first = await messages.snapshot()
  if (first === null) return
  const nowMs = Math.min(deps.clock.nowMs(), first.timeMs)
  const last = lastExpired(keep, dataset, nowMs)
  if (last === null) return
  const dates = new Set([...first.files.values()].map(({ partition }) => partition.date!))
  for (const date of [...dates].filter((one) => one <= last).sort()) {
    for (let tries = 1; ; tries++) {
      try {
        const expired = await expireDate(tables, date, { keep, nowMs, isDry }, deps)
        if (expired !== null) done({ table: messages.name, date, ...expired })
        break
      } catch (error) {
        if (!isError(error, 'E_CONFLICT') || tries === TRIES_MAX) throw error
      }
    }
  }
}

async function expireDate(
  tables: DatasetTables,
  date: string,
  { keep, nowMs, isDry }: { keep: Keep; nowMs: number; isDry: boolean },
  deps: ExpireDeps,
): Promise<{ rows: number; files: number } | null> {
  const { dataset, messages, views } = tables
  const upTo = await publishedUpTo(tables)
  if (upTo === null) return null
  const base = (await messages.snapshot()) as Snapshot
  const folds = views.map(({ view }) => new CellFold(view))
  const add: DataFile[] = []
  const remove: string[] = []
  let rows = 0
  for (const file of base.files.values()) {
    if (file.partition.date !== date) continue
    deps.signal.throwIfAborted()
    const all = await decodeMessages(dataset, await messages.readFile(file))
    const goes = expiredIn(dataset, all, date, { keep, nowMs, upTo })
    const left = Uint32Array.from({ length: all.columns.length }, (_, i) => i).filter((i) => !goes(i))
    const gone = all.columns.length - left.length
    if (gone === 0) continue
    rows += gone
    remove.push(file.path)
    if (isDry) continue
    for (const fold of folds) fold.addAll(all.columns, goes)
    if (left.length > 0) add.push(await rewritten(dataset, messages, rowsAt(all, left), date))
  }
  if (rows === 0) return null
  if (!isDry) await commitExpiry(tables, base, { date, folds, add, remove, rows }, deps)
  return { rows, files: remove.length }
}

/** The lowest tidemark of all views, so that what is at or below it is in all of them; null when one is not published. */
async function publishedUpTo({ views }: DatasetTables): Promise<Position | null> {
  const states = await Promise.all(views.map(async ({ published }) => viewState(await published.snapshot())))
  const tidemarks = states.flatMap((state) => (state === null ? [] : [state.tidemark]))
  if (tidemarks.length < views.length) return null
  const partitions = new Set(tidemarks.flatMap((one) => partitionsOf(one)))
  return Object.fromEntries(
    [...partitions].map((p) => [p, Math.min(...tidemarks.map((one) => offsetIn(one, p)))]),
  )
}

/** Tells of each row of a file whether it expires. Imported rows are in no tick, so that they always may. */
function expiredIn(
  dataset: Dataset,
  { columns, partition, offset }: MessageRows,
  date: string,
  { keep, nowMs, upTo }: { keep: Keep; nowMs: number; upTo: Position },
): (i: number) => boolean {
  const { dictionary, places } = columns.names[0]!
  const isOver = dictionary.map((service) => {
    const keepMs = keepMsOf(keep, dataset.name, service)
    return keepMs !== null && date <= dateBefore(nowMs, keepMs)
  })
  return (i) => isOver[places[i]!]! && (partition[i]! < 0 || offset[i]! <= offsetIn(upTo, partition[i]!))
}

async function rewritten(
  dataset: Dataset,
  messages: Table,
  rows: MessageRows,
  date: string,
): Promise<DataFile> {
  return messages.writeFile(encodeMessages(dataset, rows), describeMessages(rows, date))
}

async function commitExpiry(
  { messages, views }: DatasetTables,
  base: Snapshot,
  made: {
    readonly date: string
    readonly folds: readonly CellFold[]
    readonly add: readonly DataFile[]
    readonly remove: readonly string[]
    readonly rows: number
  },
  { clock, random }: ExpireDeps,
): Promise<void> {
  const expiry = random.hex(8)
  const { date, add, remove, rows } = made
  for (const [v, { view, frozen }] of views.entries()) {
    const cells = made.folds[v]!.cells()
    const table = await frozen.create(viewSchema(view), {})
    const about = { ...describeCells(cells, { date }), tags: frozenTags(expiry, view) }
    const file = await frozen.writeFile(encodeCells(cells), about)
    const isChanged = JSON.stringify(table.schema) !== JSON.stringify(viewSchema(view))
    await frozen.commit(table, {
      operation: 'FREEZE',
      add: [file],
      dataChange: true,
      ...(isChanged && { schema: viewSchema(view) }),
      info: { expiry },
    })
  }
  await messages.commit(base, {
    operation: 'EXPIRE',
    add,
    remove,
    dataChange: true,
    txns: { [expireApp(expiry)]: { version: rows, lastUpdatedMs: clock.nowMs() } },
    info: { expiry, date, rows },
  })
}
