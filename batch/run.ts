import type { LakeTables } from '../lake/tables/deployment.ts'
import { allViews } from '../lake/tables/deployment.ts'
import { viewSchema } from '../lake/tables/published.ts'
import { describeError, TidemarkError } from '../schemas/errors.ts'
import type { Clock, Random } from '../schemas/ports/clock.ts'
import type { RunRecord, RunStarter, RunState, Sealer, Ticker, Wake } from '../schemas/ports/layers.ts'
import { ActiveRun, endedRun } from './active-run.ts'
import type { OpenEngine } from './engines/engine.ts'
import { readRuns, recordRuns } from './records.ts'
import { startSchedule } from './schedule.ts'
import { emptyRecord, runView } from './view-run.ts'

export interface BatchConfig {
  readonly tickMs: number
  /** When runs start (cron, UTC); null: only when asked. */
  readonly schedule: string | null
  /** Name of the engine, for the records. */
  readonly engine: string
  readonly retentionMs: number
}

export interface BatchDeps {
  readonly tables: LakeTables
  readonly openEngine: OpenEngine
  readonly sealer: Sealer
  /** The speed layer of this process, where there is one. */
  ticker(): Ticker | null
  readonly clock: Clock
  readonly random: Random
  readonly wake: Wake
  logLine(line: string): void
}

export interface Batch extends RunStarter {
  /** Starts a run as a person would, and waits for its end. */
  run(options: { full: boolean }): Promise<readonly RunRecord[]>
  /** Recorded runs, newest first, a record a view. */
  runs(): Promise<RunRecord[]>
  status(): BatchStatus
  close(): Promise<void>
}

export interface BatchStatus {
  readonly state: 'idle' | 'running'
  /** The run that is going on. */
  readonly active: RunState | null
  /** The records of this process's last run, those that found nothing new included. */
  readonly last: readonly RunRecord[]
  readonly nextMs: number | null
}

/** Ended runs of this process that can be asked for although they found nothing and left no record. */
const REMEMBERED_MAX = 100

/**
 * Starts the batch layer. A run goes over the views of every dataset,
 *
 *     (tick, when a person asked) ─▶ seal ─▶ per view: plan, compute, publish ─▶ records
 *
 * so that what a person asked for holds everything accepted before. A view that fails is recorded so, and the others go on.
 */
export async function startBatch(config: BatchConfig, deps: BatchDeps): Promise<Batch> {
  const { clock, tables } = deps
  const remembered = new Map<string, readonly RunRecord[]>()
  let active: { readonly run: ActiveRun; readonly ended: Promise<readonly RunRecord[]> } | null = null
  let last: readonly RunRecord[] = []
  let closed = false
  for (const { view, published } of allViews(tables)) await published.create(viewSchema(view), {})

  function start(full: boolean, asked: boolean) {
    if (closed) throw new TidemarkError('E_CLOSED', 'the batch layer is closed')
    if (active !== null) {
      const { run } = active.run.about
      throw new TidemarkError('E_RUN_ACTIVE', `run ${run} is going on; wait for it to end, or cancel it`)
    }
    const about = { run: deps.random.hex(8), startedMs: clock.nowMs(), full, engine: config.engine }
    const run = new ActiveRun(about)
    const ended = execute(run, asked).finally(() => {
      active = null
    })
    active = { run, ended }
    return { run: about.run, ended }
  }

  async function execute(run: ActiveRun, asked: boolean): Promise<readonly RunRecord[]> {
    try {
      if (asked) await deps.ticker()?.tick()
      run.proceed()
      await deps.sealer.seal()
      run.proceed()
      for (const dataset of tables.datasets) {
        for (const view of dataset.views) {
          const part = { ...deps, tickMs: config.tickMs, tables: dataset, view }
          run.records.push(
            await recorded(run, view.view, () =>
              runView(run.about, {
                ...part,
                proceed: () => run.proceed(),
                stage: (stage) => run.stage(stage),
                progress: (done, total) => run.progress(view.view.name, done, total),
              }),
            ),
          )
        }
      }
    } catch (error) {
      // Before any view was begun: of each it says so.
      for (const { view } of allViews(tables)) run.records.push(failure(run, view, error))
    }
    await finish(run)
    return run.records
  }

  /** The record of a view's part, also of one that failed; others are told of a publish at once. */
  async function recorded(
    run: ActiveRun,
    view: Parameters<typeof failure>[1],
    work: () => Promise<RunRecord>,
  ) {
    try {
      run.proceed()
      const record = await work()
      if (record.result === 'published') deps.wake.notify()
      return record
    } catch (error) {
      return failure(run, view, error)
    }
  }

  function failure(run: ActiveRun, view: Parameters<typeof emptyRecord>[1], error: unknown): RunRecord {
    const result = run.isCancelled ? 'cancelled' : 'failed'
    deps.logLine(`batch: the run of ${view.name} ${result}: ${describeError(error)}`)
    return { ...emptyRecord(run.about, view, clock.nowMs()), result, error: describeError(error) }
  }

  async function finish(run: ActiveRun): Promise<void> {
    run.stage('record')
    last = run.records
    remembered.set(run.about.run, last)
    if (remembered.size > REMEMBERED_MAX) remembered.delete(remembered.keys().next().value!)
    // What found nothing leaves no trace in the lake: an idle schedule would only add records.
    const records = run.records.filter(({ result }) => result !== 'nothing_new')
    if (closed) return
    if (records.length > 0)
      await recordRuns(tables.runs, records).catch((error) => deps.logLine(`batch: ${describeError(error)}`))
    if (records.length > 0 || upkeep === null) upkeep = tend()
  }

  /** Clean-up, which nobody who asked for a run waits for. */
  let upkeep: Promise<void> | null = null
  async function tend() {
    for (const table of [...allViews(tables).map(({ published }) => published), tables.runs]) {
      if (closed) return
      await table
        .tend(clock.nowMs(), config.retentionMs)
        .catch((error) => deps.logLine(`batch: ${describeError(error)}`))
    }
  }

  const schedule = startSchedule(config.schedule, clock, () => {
    if (active === null) void start(false, false).ended.catch(() => {})
  })

  return {
    start: ({ full }) => start(full, true),
    run: async ({ full }) => start(full, true).ended,
    async find(id) {
      if (active?.run.about.run === id) return active.run.state()
      const records = remembered.get(id) ?? (await readRuns(tables.runs)).filter(({ run }) => run === id)
      return endedRun(records)
    },
    cancel(id) {
      if (active?.run.about.run !== id) return false
      active.run.stop(new TidemarkError('E_CANCELLED', 'the run was cancelled'))
      return true
    },
    runs: () => readRuns(tables.runs),
    status: () => ({
      state: active === null ? 'idle' : 'running',
      active: active?.run.state() ?? null,
      last,
      nextMs: schedule.nextMs,
    }),
    async close() {
      schedule.cancel()
      closed = true
      active?.run.stop(new TidemarkError('E_CLOSED', 'the process is stopping'))
      await active?.ended.catch(() => {})
      await upkeep
    },
  }
}
