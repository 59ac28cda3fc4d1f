import type { DataFile, Snapshot, Table } from '../lake/delta/port.ts'
import type { ObjectStore } from '../lake/store/port.ts'
import type { DatasetTables, ViewTables } from '../lake/tables/deployment.ts'
import { frozenFiles } from '../lake/tables/frozen.ts'
import { type ViewState, viewState } from '../lake/tables/published.ts'
import { ticksOf } from '../lake/tables/ticks.ts'
import { describeError, isError, TidemarkError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { RunRecord } from '../schemas/ports/layers.ts'
import { definitionHash, type View } from '../schemas/view.ts'
import type { ActiveRun, RunAbout } from './active-run.ts'
import type { OpenEngine } from './engines/engine.ts'
import { amountOf, type Executed, execute } from './execute.ts'
import { inSteps } from './in-steps.ts'
import { isNothingNew, planInSteps, type RunPlan } from './plan.ts'
import { publish } from './publish.ts'
import { reportOf } from './report.ts'
import type { StageDone, Stages } from './stages.ts'
import { Work } from './work.ts'

export interface ViewRunDeps {
  readonly tables: DatasetTables
  readonly view: ViewTables
  readonly openEngine: OpenEngine
  readonly tickMs: number
  readonly store: ObjectStore
  readonly stages: Stages
  readonly clock: Clock
  logLine(line: string): void
}

/**
 * One view's part of a run,
 *
 *     snapshots ─▶ plan ─▶ map, reduce ─▶ one commit: files, tidemark, definition
 *
 * Each stage starts when the one before is recorded. The commit is the publish. Whenever a run dies before it, the dates that
 * it computed are kept for the next one.
 */
export async function runView(run: ActiveRun, deps: ViewRunDeps): Promise<RunRecord> {
  const { about, signal } = run
  const { stages, store, clock, logLine } = deps
  const { published: table } = deps.view
  let planned = await stages.stage('plan', () => planNow(run, about.full, deps))
  if (isNothingNew(planned.plan, planned.base)) return recordOf(about, planned, deps)
  const work = await Work.open(deps.view.view.name, planned.base, { store, clock, logLine })
  const computeNow = () => stages.stage('map', () => compute(run, planned.plan, work, deps))
  let made: Executed
  try {
    made = await computeNow()
  } catch (error) {
    if (!isError(error, 'E_FILE_DAMAGED') || about.full) throw error
    // Only a file of the view itself, carried from, ends an execution so; it can be made again from the messages.
    logLine(`batch: ${describeError(error)}; everything is recomputed`)
    planned = await stages.stage('plan', () => planNow(run, true, deps))
    made = await computeNow()
  }
  signal.throwIfAborted()
  const { plan, base } = planned
  const version = await stages.stage('publish', async () => {
    run.stage('publish')
    const next = await publish(plan, made, about.run, { table, base, clock })
    const { rows, bytes } = next === null ? UNKNOWN : amountOf(next.files.values())
    const record = { stage: 'publish', inputs: amountOf(made.add), rows, bytes, reused: 0 } as const
    return { made: next?.version ?? null, records: [record] }
  })
  // What is published is taken for no work by what follows, so nothing depends on this.
  await work.forget().catch((error) => logLine(`batch: ${describeError(error)}`))
  return {
    ...recordOf(about, planned, deps),
    result: version === null ? 'lost_race' : 'published',
    viewVersion: version,
    files: made.add.length,
    rows: made.rows,
  }
}

interface Planned {
  readonly plan: RunPlan
  readonly base: Snapshot
  /** What is to be said of a definition that changed. */
  readonly report: string | null
}

const UNKNOWN = { rows: null, bytes: null }

/** The published version is read first: messages read later hold all that it was computed of. */
async function planNow(
  run: ActiveRun,
  full: boolean,
  { tables, view: of, tickMs }: ViewRunDeps,
): Promise<StageDone<Planned>> {
  const { view, published, ticks, frozen } = of
  run.signal.throwIfAborted()
  run.stage('plan')
  const base = (await published.snapshot()) as Snapshot
  const messages = (await tables.messages.snapshot()) as Snapshot
  const state = viewState(base)
  if (state !== null && messages.version < state.messagesVersion) {
    const versions = `${messages.version}, and the published ${view.name} was computed of ${state.messagesVersion}`
    throw new TidemarkError('E_TABLE_DAMAGED', `${tables.messages.name} is at version ${versions}`)
  }
  if (state !== null && !full) await refuseOtherHistory(tables.messages, state, view)
  const changes = state ? await tables.messages.changes(state.messagesVersion, messages.version) : null
  // After the messages: what is no longer among them is frozen by then.
  const frozenByDate = frozenFiles(await frozen.snapshot(), messages)
  const steps = planInSteps({
    view,
    messages,
    messagesCommit: await tables.messages.commitId(messages.version),
    published: base,
    ticks: ticksOf(await ticks.snapshot()),
    addedSince: changes?.added ?? null,
    removedDates: (changes?.removed ?? []).map(dateOfPath),
    frozen: frozenByDate,
    tickMs,
    full,
  })
  const plan = await inSteps(steps)
  const inputs = amountOf(base.files.values(), amountOf(messages.files.values()))
  const { rows, bytes } = amountOf(filesOf(plan))
  const report = reportOf(view, base, frozenByDate)
  return { made: { plan, base, report }, records: [{ stage: 'plan', inputs, rows, bytes, reused: 0 }] }
}

/**
 * Messages that were put back as they were once, and grew again past the version that was computed of, have other changes since
 * than those that are missing: only when everything is computed again does that not matter.
 */
async function refuseOtherHistory(messages: Table, state: ViewState, view: View): Promise<void> {
  const { messagesVersion, messagesCommit } = state
  if (messagesCommit === undefined) return
  const found = await messages.commitId(messagesVersion)
  if (found === null || found === messagesCommit) return
  const what = `version ${messagesVersion} of ${messages.name} is another than the one that the published ${view.name} was computed of`
  const fix =
    'where an older copy was put back, a full run (batch --once --full) makes the view of what is there'
  throw new TidemarkError('E_TABLE_DAMAGED', `${what}; ${fix}`)
}

/** The files of messages that a plan reads. */
function filesOf({ dates }: RunPlan): DataFile[] {
  return dates.flatMap(({ maps }) => maps.flatMap(({ files }) => files))
}

/** Map and reduce, which an engine does in one go for each date. */
async function compute(
  run: ActiveRun,
  plan: RunPlan,
  work: Work,
  deps: ViewRunDeps,
): Promise<StageDone<Executed>> {
  const { signal } = run
  const { dataset, messages } = deps.tables
  const { view, published: viewTable, frozen: frozenTable } = deps.view
  signal.throwIfAborted()
  run.stage('compute')
  const progress = (done: number, total: number) => run.progress(view.name, done, total)
  const engineName = run.about.engine
  const engine = await deps.openEngine({ dataset, view, messages, viewTable })
  try {
    const tables = { messages, viewTable, frozenTable }
    const { logLine } = deps
    const made = await execute(plan, { engine, engineName, work, ...tables, signal, progress, logLine })
    const { rows, bytes } = amountOf(made.add)
    const { mapped, carried, reused } = made
    const map = { stage: 'map', inputs: mapped, rows: null, bytes: null, reused } as const
    return { made, records: [map, { stage: 'reduce', inputs: carried, rows, bytes, reused }] }
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
    stages: [],
    report: null,
  }
}

function recordOf(
  about: RunAbout,
  { plan, report }: Planned,
  { clock, stages }: Pick<ViewRunDeps, 'clock' | 'stages'>,
): RunRecord {
  return {
    ...emptyRecord(about, plan.view, clock.nowMs()),
    stages: stages.records,
    report,
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
