import type { Snapshot } from '../lake/delta/port.ts'
import type { DatasetTables, ViewTables } from '../lake/tables/deployment.ts'
import { publishApp, viewSchema, viewState, withViewState } from '../lake/tables/published.ts'
import { ticksOf } from '../lake/tables/ticks.ts'
import { describeError, isError, TidemarkError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { RunRecord, RunStage } from '../schemas/ports/layers.ts'
import { mergeGaps } from '../schemas/position.ts'
import { definitionHash, definitionJson, type View } from '../schemas/view.ts'
import type { OpenEngine } from './engines/engine.ts'
import { type Executed, execute } from './execute.ts'
import { isNothingNew, planRun, type RunPlan } from './plan.ts'

/** What a run is, before it did anything. */
export interface RunAbout {
  readonly run: string
  readonly startedMs: number
  readonly full: boolean
  readonly engine: string
}

export interface ViewRunDeps {
  readonly tables: DatasetTables
  readonly view: ViewTables
  readonly openEngine: OpenEngine
  readonly tickMs: number
  readonly clock: Clock
  /** Throws when the run must stop. */
  proceed(): void
  stage(stage: RunStage): void
  /** Dates of this view computed and in all. */
  progress(done: number, total: number): void
  logLine(line: string): void
}

/**
 * One view's part of a run,
 *
 *     snapshots ─▶ plan ─▶ map, reduce ─▶ one commit: files, tidemark, definition
 *
 * The commit is the publish: before it nothing can be seen. It is compare-and-set on a counter, so of two runs at once one is
 * discarded. Whenever a run dies, the files it wrote are orphans for the vacuum.
 */
export async function runView(about: RunAbout, deps: ViewRunDeps): Promise<RunRecord> {
  const { view } = deps.view
  deps.stage('plan')
  let { plan, published } = await planNow(about.full, deps)
  if (isNothingNew(plan, published)) return recordOf(about, view, plan, deps.clock)
  deps.stage('compute')
  let made: Executed
  try {
    made = await compute(plan, deps)
  } catch (error) {
    if (!isError(error, 'E_FILE_DAMAGED') || about.full) throw error
    // Only a file of the view itself, carried from, ends an execution so; it can be made again from the messages.
    deps.logLine(`batch: ${describeError(error)}; everything is recomputed`)
    ;({ plan, published } = await planNow(true, deps))
    made = await compute(plan, deps)
  }
  deps.proceed()
  deps.stage('publish')
  const version = await publish(plan, published, made, about, deps)
  return {
    ...recordOf(about, view, plan, deps.clock),
    result: version === null ? 'lost_race' : 'published',
    viewVersion: version,
    files: made.add.length,
    rows: made.rows,
  }
}

/** The published version is read first: messages read later hold all that it was computed of. */
async function planNow(full: boolean, { tables, view: { view, published, ticks }, tickMs }: ViewRunDeps) {
  const version = (await published.snapshot()) as Snapshot
  const messages = (await tables.messages.snapshot()) as Snapshot
  const state = viewState(version)
  if (state !== null && messages.version < state.messagesVersion) {
    const versions = `${messages.version}, and the published ${view.name} was computed of ${state.messagesVersion}`
    throw new TidemarkError('E_TABLE_DAMAGED', `${tables.messages.name} is at version ${versions}`)
  }
  const changes = state ? await tables.messages.changes(state.messagesVersion, messages.version) : null
  const plan = planRun({
    view,
    messages,
    published: version,
    ticks: ticksOf(await ticks.snapshot()),
    addedSince: changes?.added ?? null,
    removedDates: (changes?.removed ?? []).map(dateOfPath),
    tickMs,
    full,
  })
  return { plan, published: version }
}

async function compute(plan: RunPlan, deps: ViewRunDeps): Promise<Executed> {
  const { dataset, messages } = deps.tables
  const { view, published: viewTable } = deps.view
  const engine = await deps.openEngine({ dataset, view, messages, viewTable })
  try {
    return await execute(plan, { ...deps, engine, messages, viewTable })
  } finally {
    await engine.close()
  }
}

/** The version it became; null when another run published first. */
async function publish(
  plan: RunPlan,
  published: Snapshot,
  made: Executed,
  { run }: RunAbout,
  { view: { view, published: table }, clock }: ViewRunDeps,
): Promise<number | null> {
  const app = publishApp(view.name)
  const schema = viewSchema(view)
  try {
    const next = await table.commit(published, {
      operation: 'PUBLISH',
      add: made.add,
      remove: made.remove,
      dataChange: true,
      txns: {
        [app]: { version: (published.txns.get(app)?.version ?? 0) + 1, lastUpdatedMs: clock.nowMs() },
      },
      ...(JSON.stringify(schema) !== JSON.stringify(published.schema) && { schema }),
      configuration: withViewState(published, {
        tidemark: plan.tidemark,
        hash: plan.hash,
        definition: definitionJson(view),
        messagesVersion: plan.messagesVersion,
        dirtyHours: plan.dirtyHours,
        damagedHours: made.damagedHours,
        logTimeMs: plan.logTimeMs,
        gaps: mergeGaps(plan.gaps, made.gaps),
        run,
      }),
      info: { run },
    })
    return next.version
  } catch (error) {
    if (isError(error, 'E_CONFLICT')) return null
    throw error
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

function recordOf(about: RunAbout, view: View, plan: RunPlan, clock: Clock): RunRecord {
  return {
    ...emptyRecord(about, view, clock.nowMs()),
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
