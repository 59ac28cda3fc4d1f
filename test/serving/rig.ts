import { openTable } from '../../lake/delta/table.ts'
import { describeCells, encodeCells } from '../../lake/parquet/cells.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { lakeTables } from '../../lake/tables/deployment.ts'
import { viewSchema, withViewState } from '../../lake/tables/published.ts'
import { tickApp, tickEndApp, ticksSchema, tickTags } from '../../lake/tables/ticks.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { type Cells, pickRows, timesOf } from '../../schemas/cells.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { type Message, toColumns } from '../../schemas/message.ts'
import type { Clock, Pause } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { OpenCells } from '../../schemas/ports/layers.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { IMPORT_PARTITION } from '../../schemas/position.ts'
import { utcDate } from '../../schemas/time.ts'
import { definitionHash, definitionJson, type View } from '../../schemas/view.ts'
import { startAnswers } from '../../serving/answer.ts'
import type { IndexLoader } from '../../serving/index/loader.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'

export const NOW_MS = Date.UTC(2026, 10, 23)

export function foldOf(dataset: Dataset, view: View, messages: readonly Message[]): CellFold {
  const fold = new CellFold(view)
  fold.addAll(toColumns(dataset, messages))
  return fold
}

export interface RigOptions {
  readonly indexDays?: number
  /** Whether the lake is out of reach at the start. */
  readonly isDown?: boolean
  readonly indexPath?: string
  readonly disk?: Disk
  readonly loader?: IndexLoader
  /** The log's partitions where no speed layer runs in the process. */
  readonly partitions?: readonly number[]
  readonly pause?: Pause
  /** What the answers take for their clock. */
  clockOf?(clock: Clock): Clock
}

/** Answers over a lake to which tests publish cells and ticks, and over open cells that they say. */
export async function answersRig(dataset: Dataset, view: View, options: RigOptions = {}) {
  const { indexDays, isDown = false, indexPath = ':memory:', disk, loader, partitions } = options
  const clock = new SimClock(NOW_MS)
  const store = new MemoryStore(clock)
  if (isDown) store.faults = () => Promise.reject(new TidemarkError('E_STORE', 'down'))
  const random = simRandom(1)
  const wake = makeWake()
  const lines: string[] = []
  const tables = lakeTables({ datasets: [dataset], views: [view] }, (name) =>
    openTable(name, { store, clock, random }),
  )
  const { published, ticks } = tables.datasets[0]!.views[0]!
  const hash = definitionHash(view)
  let open: { readonly from: number; readonly to: number; readonly fold: CellFold } | null = null
  let end = -1
  let askedFrom = -1
  const openCells: OpenCells = {
    open(of, _partition, from) {
      askedFrom = from
      if (of !== hash || from !== (open?.from ?? end)) return null
      const fold = open?.fold ?? new CellFold(view)
      return {
        to: open?.to ?? from,
        gaps: [],
        cells: (key, fromMs, toMs) => [fold.range(key, fromMs, toMs)],
        keys: () => fold.keys(),
        summaries: (key) => [fold.summary(key)].filter((one) => one !== null),
      }
    },
    lag: () => ({ start: -1, end, behindSinceMs: null }),
    partitions: () => [0],
  }
  const answers = await startAnswers(
    {
      tickMs: 30_000,
      indexPath,
      ...(indexDays !== undefined && { indexDays }),
      ...(partitions && { partitions }),
    },
    {
      tables,
      openCells: partitions === undefined ? openCells : null,
      clock: options.clockOf?.(clock) ?? clock,
      ...(options.pause && { pause: options.pause }),
      wake,
      logLine: (line) => void lines.push(line),
      ...(disk && { disk }),
      ...(loader && { loader }),
    },
  )

  /** Publishes the cells of `messages`, which are all up to `tidemark` and the offset `imported` of imports, a file a date. */
  async function publish(messages: readonly Message[], tidemark: number, imported = -1): Promise<void> {
    const base = await published.create(viewSchema(view), {})
    const cells = foldOf(dataset, view, messages).cells()
    const add = await Promise.all(
      byDate(cells).map(([date, rows]) =>
        published.writeFile(encodeCells(rows), describeCells(rows, { date })),
      ),
    )
    await published.commit(base, {
      add,
      remove: [...base.files.keys()],
      dataChange: true,
      configuration: withViewState(base, {
        tidemark: { 0: tidemark, ...(imported >= 0 && { [IMPORT_PARTITION]: imported }) },
        hash,
        definition: definitionJson(view),
        messagesVersion: 1,
        dirtyHours: [],
        gaps: [],
        run: 'run-1',
      }),
      operation: 'PUBLISH',
    })
    end = Math.max(end, tidemark)
    await answers.refresh()
  }

  /** Commits the cells of `messages` as the tick of the blocks `(from, to]`; `endMs` as in `tickEndApp`. The answers look at it if `isSeen`. */
  async function tick(
    messages: readonly Message[],
    from: number,
    to: number,
    { partition = 0, endMs, isSeen = true }: { partition?: number; endMs?: number; isSeen?: boolean } = {},
  ): Promise<void> {
    const base = await ticks.create(ticksSchema(view), {})
    const cells = foldOf(dataset, view, messages).cells()
    const about = describeCells(cells)
    const tags = tickTags({ hash, partition, from, to, toMs: NOW_MS, gaps: [] })
    const file = await ticks.writeFile(encodeCells(cells), { ...about, tags: { ...about.tags, ...tags } })
    await ticks.commit(base, {
      add: [file],
      dataChange: true,
      operation: 'TICK',
      txns: {
        [tickApp(view.name, hash, partition)]: { version: to, lastUpdatedMs: null },
        ...(endMs !== undefined && {
          [tickEndApp(view.name, hash, partition)]: { version: endMs, lastUpdatedMs: null },
        }),
      },
    })
    end = Math.max(end, to)
    if (isSeen) await answers.refresh()
  }

  /** Says that the speed layer of `partition` was at the log's end at `endMs` and found nothing new. */
  async function stillHere(partition: number, endMs: number): Promise<void> {
    const base = await ticks.create(ticksSchema(view), {})
    const txns = { [tickEndApp(view.name, hash, partition)]: { version: endMs, lastUpdatedMs: null } }
    await ticks.commit(base, { dataChange: false, operation: 'TICK', txns })
    await answers.refresh()
  }

  /** Lets speed hold the cells of `messages`, which are the blocks `(from, to]`. */
  function hold(messages: readonly Message[], from: number, to: number): void {
    open = { from, to, fold: foldOf(dataset, view, messages) }
    end = Math.max(end, to)
  }

  return {
    answers,
    /** Behind which position speed was asked for open cells last. */
    askedFrom: () => askedFrom,
    clock,
    store,
    tables,
    lines,
    publish,
    tick,
    stillHere,
    hold,
    [Symbol.asyncDispose]: () => answers.close(),
  }
}

function byDate(cells: Cells): [date: string, cells: Cells][] {
  const rows = new Map<string, number[]>()
  for (const [i, timeMs] of timesOf(cells).entries()) {
    const date = utcDate(timeMs)
    const own = rows.get(date)
    if (own === undefined) rows.set(date, [i])
    else own.push(i)
  }
  return Array.from(rows, ([date, own]) => [date, pickRows(cells, Uint32Array.from(own))])
}
