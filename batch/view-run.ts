import type { Snapshot } from '../lake/delta/port.ts'
import type { DatasetTables, ViewTables } from '../lake/tables/deployment.ts'
import { viewState } from '../lake/tables/published.ts'
import { ticksOf } from '../lake/tables/ticks.ts'
import { describeError, isError, TidemarkError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { RunRecord } from '../schemas/ports/layers.ts'
import { definitionHash, type View } from '../schemas/view.ts'
import type { ActiveRun, RunAbout } from './active-run.ts'
import type { OpenEngine } from './engines/engine.ts'
import { type Executed, execute } from './execute.ts'
import { inSteps } from './in-steps.ts'
import { isNothingNew, planInSteps, type RunPlan } from './plan.ts'
import { publish } from './publish.ts'

export interface ViewRunDeps {
  readonly tables: DatasetTables
  readonly view: ViewTables
  readonly openEngine: OpenEngine
  readonly tickMs: number
  readonly clock: Clock
  logLine(line: string): void
}

/**
 * One view's part of a run,
 *
 *     snapshots ─▶ plan ─▶ map, reduce ─▶ one commit: files, tidemark, definition
 *
 * The commit is the publish. Whenever a run dies before it, the files it wrote are orphans for the vacuum.
 */
export async function runView(run: ActiveRun, deps: ViewRunDeps): Promise<RunRecord> {
  const { about, signal } = run
  const { published: table } = deps.view
  let { plan, base } = await planNow(run, about.full, deps)
  if (isNothingNew(plan, base)) return recordOf(about, plan, deps.clock)
  let made: Executed
  try {
    made = await compute(run, plan, deps)
  } catch (error) {
    if (!isError(error, 'E_FILE_DAMAGED') || about.full) throw error
    // Only a file of the view itself, carried from, ends an execution so; it can be made again from the messages.
    deps.logLine(`batch: ${describeError(error)}; everything is recomputed`)
    ;({ plan, base } = await planNow(run, true, deps))
    made = await compute(run, plan, deps)
  }
  signal.throwIfAborted()
  run.stage('publish')
  const version = await publish(plan, made, about.run, { table, base, clock: deps.clock })
  return {
    ...recordOf(about, plan, deps.clock),
    result: version === null ? 'lost_race' : 'published',
    viewVersion: version,
    files: made.add.length,
    rows: made.rows,
  }
}

/** The published version is read first: messages read later hold all that it was computed of. */
async function planNow(run: ActiveRun, full: boolean, { tables, view: of, tickMs }: ViewRunDeps) {
  const { view, published, ticks } = of
  run.signal.throwIfAborted()
  run.stage('plan')
  const base = (await published.snapshot()) as Snapshot
  const messages = (await tables.messages.snapshot()) as Snapshot
  const state = viewState(base)
  if (state !== null && messages.version < state.messagesVersion) {
    const versions = `${messages.version}, and the published ${view.name} was computed of ${state.messagesVersion}`
    throw new TidemarkError('E_TABLE_DAMAGED', `${tables.messages.name} is at version ${versions}`)
  }
  const changes = state ? await tables.messages.changes(state.messagesVersion, messages.version) : null
  const steps = planInSteps({
    view,
    messages,
    published: base,
    ticks: ticksOf(await ticks.snapshot()),
    addedSince: changes?.added ?? null,
    removedDates: (changes?.removed ?? []).map(dateOfPath),
    tickMs,
    full,
  })
  return { plan: await inSteps(steps), base }
}

async function compute(run: ActiveRun, plan: RunPlan, deps: ViewRunDeps): Promise<Executed> {
  const { signal } = run
  const { dataset, messages } = deps.tables
  const { view, published: viewTable } = deps.view
  signal.throwIfAborted()
  run.stage('compute')
  const progress = (done: number, total: number) => run.progress(view.name, done, total)
  const engine = await deps.openEngine({ dataset, view, messages, viewTable })
  try {
    return await execute(plan, { engine, messages, viewTable, signal, progress, logLine: deps.logLine })
  } finally {
    await engine.close()
  }
}

/** The record of a view's part that did nothing, and the beginning of every other. */
export function emptyRecord(
  { run, startedMs, full, engine }: RunAbout,
  view: View,
  endedMs: number,
): RunRecord {
  return {
    run,
    startedMs,
    full,
    engine,
    view: view.name,
    endedMs,
    result: 'nothing_new',
    error: null,
    definition: definitionHash(view),
    messagesVersion: 0,
    viewVersion: null,
    tidemark: {},
    hours: 0,
    files: 0,
    rows: 0,
  }
}

function recordOf(about: RunAbout, plan: RunPlan, clock: Clock): RunRecord {
  return {
    ...emptyRecord(about, plan.view, clock.nowMs()),
    messagesVersion: plan.messagesVersion,
    tidemark: plan.tidemark,
    full: plan.full,
    hours: plan.dates.reduce((sum, date) => sum + date.hours.length, 0),
  }
}

/** The date that a data file's folder names. */
function dateOfPath(path: string): string {
  return /date=(-?\d{4,6}-\d\d-\d\d)/.exec(path)?.[1] ?? ''
}
