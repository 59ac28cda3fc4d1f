import type { ObjectStore } from '../lake/store/port.ts'
import type { DatasetTables, LakeTables, ViewTables } from '../lake/tables/deployment.ts'
import { describeError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { RunRecord, Sealer, Ticker, Wake } from '../schemas/ports/layers.ts'
import type { ActiveRun } from './active-run.ts'
import type { OpenEngine } from './engines/engine.ts'
import { Stages } from './stages.ts'
import { emptyRecord, runView } from './view-run.ts'

export interface RunDeps {
  readonly tables: LakeTables
  readonly openEngine: OpenEngine
  readonly tickMs: number
  /** The lake's, for what runs keep beside its tables. */
  readonly store: ObjectStore
  readonly sealer: Sealer
  /** The speed layer of this process; null where speed is elsewhere. */
  readonly ticker: Ticker | null
  readonly clock: Clock
  readonly wake: Wake
  logLine(line: string): void
}

/**
 * Executes a run, which goes over the views of every dataset:
 *
 *     (tick, when a person asked) ─▶ seal ─▶ for each view: plan, compute, publish
 *
 * so that what a person asked for holds everything accepted before. Each view leaves a record in `run`; one that fails is
 * recorded so, and the others go on. Never rejects.
 */
export async function executeRun(run: ActiveRun, deps: RunDeps): Promise<void> {
  const views = deps.tables.datasets.flatMap((tables) => tables.views.map((view) => ({ tables, view })))
  try {
    if (run.about.asked) await tick(run, deps)
    run.stage('seal')
    await run.unlessStopped(deps.sealer.seal())
  } catch (error) {
    for (const { view } of views) run.records.push(failure(run, view, error, deps))
    return
  }
  for (const { tables, view } of views) run.records.push(await recordOf(run, tables, view, deps))
}

/** A speed layer that cannot commit a tick holds up no run: that goes as far as speed's ticks do. */
async function tick(run: ActiveRun, { ticker, logLine }: RunDeps): Promise<void> {
  if (ticker === null) return
  run.stage('tick')
  const reason = await run.unlessStopped(ticker.tick())
  if (reason !== null) logLine(`batch: the run may lack the newest messages: ${reason}`)
}

/** Runs one view; of its publish others are told at once. */
async function recordOf(
  run: ActiveRun,
  tables: DatasetTables,
  view: ViewTables,
  deps: RunDeps,
): Promise<RunRecord> {
  const stages = new Stages(emptyRecord(run.about, view.view, deps.clock.nowMs()), deps)
  run.stages.push(stages)
  try {
    const record = await runView(run, { ...deps, tables, view, stages })
    if (record.result === 'published') deps.wake.notify()
    return record
  } catch (error) {
    return { ...failure(run, view, error, deps), stages: stages.records }
  }
}

/** The record of a view of which nothing was published. Where the run was stopped, that is the reason, whatever came of it. */
function failure(
  run: ActiveRun,
  { view }: ViewTables,
  error: unknown,
  { clock, logLine }: RunDeps,
): RunRecord {
  const record = emptyRecord(run.about, view, clock.nowMs())
  if (run.isCancelled) {
    logLine(`batch: the run of ${view.name} was cancelled`)
    return { ...record, result: 'cancelled' }
  }
  const reason = describeError(run.signal.aborted ? run.signal.reason : error)
  logLine(`batch: the run of ${view.name} failed: ${reason}`)
  return { ...record, result: 'failed', error: reason }
}
