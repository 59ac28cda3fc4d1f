import { Cron } from 'croner'
import type { Snapshot, Table } from '../lake/delta/port.ts'
import { publishApp, viewSchema, viewState, withViewState } from '../lake/tables/published.ts'
import { ticksOf } from '../lake/tables/ticks.ts'
import { describeError, isError, TidemarkError } from '../schemas/errors.ts'
import type { Clock, Random } from '../schemas/ports/clock.ts'
import type { RunRecord, RunStarter, Sealer, Wake } from '../schemas/ports/layers.ts'
import { mergeGaps } from '../schemas/position.ts'
import { definitionHash, definitionJson, type View } from '../schemas/view.ts'
import type { OpenEngine } from './engines/engine.ts'
import { type Executed, execute } from './execute.ts'
import { isNothingNew, planRun, type RunPlan } from './plan.ts'
import { readRuns, recordRun } from './records.ts'

export interface BatchConfig {
  readonly view: View
  readonly tickMs: number
  /** When runs start (cron, UTC); null: only when asked. */
  readonly schedule: string | null
  /** Name of the engine, for the records. */
  readonly engine: string
  readonly retentionMs: number
}

export interface BatchDeps {
  readonly openEngine: OpenEngine
  readonly messages: Table
  readonly viewTable: Table
  readonly ticks: Table
  readonly runs: Table
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly wake: Wake
  logLine(line: string): void
}

export interface Batch extends RunStarter {
  /** Throws `E_RUN_ACTIVE` while another run is going on. */
  run(options: { full: boolean }): Promise<RunRecord>
  /** Recorded runs, newest first. */
  runs(): Promise<RunRecord[]>
  status(): BatchStatus
  close(): Promise<void>
}

export interface BatchStatus {
  readonly state: 'idle' | 'running'
  /** Dates of the run that is going on, done and in all; null when none is or it is not planned yet. */
  readonly progress: { readonly done: number; readonly total: number } | null
  /** The last run of this process, one that found nothing new included. */
  readonly last: RunRecord | null
  readonly nextMs: number | null
}

/**
 * Starts the batch layer of one view. A run goes
 *
 *     seal ─▶ snapshots ─▶ plan ─▶ map, reduce ─▶ one commit: files, tidemark, definition ─▶ record
 *
 * The commit is the publish: before it nothing of the run can be seen. It is compare-and-set on a counter, so of two
 * runs at once one is discarded. Whenever a run dies, the files it wrote are orphans for the vacuum.
 */
export async function startBatch(config: BatchConfig, deps: BatchDeps): Promise<Batch> {
  const { view } = config
  const { clock } = deps
  let active: Promise<RunRecord> | null = null
  let last: RunRecord | null = null
  let progress: BatchStatus['progress'] = null
  let closed = false
  let nextMs: number | null = null
  let cancelSchedule = () => {}
  await deps.viewTable.create(viewSchema(view), {})

  async function run({ full }: { full: boolean }): Promise<RunRecord> {
    if (closed) throw new TidemarkError('E_CLOSED', 'the batch layer is closed')
    if (active !== null) throw new TidemarkError('E_RUN_ACTIVE', 'a run is going on; wait for it to end')
    active = once(full)
    try {
      last = await active
      return last
    } finally {
      active = null
      progress = null
    }
  }

  async function once(full: boolean): Promise<RunRecord> {
    const about = { run: deps.random.hex(8), startedMs: clock.nowMs(), full }
    let record: RunRecord
    try {
      record = await recompute(about)
    } catch (error) {
      record = {
        ...emptyRecord(about),
        result: 'failed',
        error: describeError(error),
        endedMs: clock.nowMs(),
      }
      deps.logLine(`batch: the run failed: ${describeError(error)}`)
    }
    // A run that found nothing leaves no trace in the lake: an idle schedule would only add records.
    if (record.result !== 'nothing_new' && !closed) {
      await recordRun(deps.runs, record).catch((error) => deps.logLine(`batch: ${describeError(error)}`))
    }
    if (!closed) await tend()
    return record
  }

  type About = { run: string; startedMs: number; full: boolean }

  function emptyRecord(about: About): RunRecord {
    return {
      ...about,
      view: view.name,
      endedMs: about.startedMs,
      result: 'nothing_new',
      error: null,
      engine: config.engine,
      definition: definitionHash(view),
      messagesVersion: 0,
      viewVersion: null,
      tidemark: {},
      hours: 0,
      files: 0,
      rows: 0,
    }
  }

  async function recompute(about: About): Promise<RunRecord> {
    await deps.sealer.seal()
    proceed()
    let { plan, published } = await planNow(about.full)
    if (isNothingNew(plan, published)) return recordOf(about, plan)
    let made: Executed
    try {
      made = await executeOnce(plan)
    } catch (error) {
      if (!isError(error, 'E_FILE_DAMAGED') || about.full) throw error
      // Only a file of the view itself, carried from, ends an execution so; it can be made again from the messages.
      deps.logLine(`batch: ${describeError(error)}; everything is recomputed`)
      ;({ plan, published } = await planNow(true))
      made = await executeOnce(plan)
    }
    proceed()
    const version = await publish(plan, published, made, about.run)
    deps.wake.notify()
    return {
      ...recordOf(about, plan),
      result: version === null ? 'lost_race' : 'published',
      viewVersion: version,
      files: made.add.length,
      rows: made.rows,
    }
  }

  async function executeOnce(plan: RunPlan): Promise<Executed> {
    const engine = await deps.openEngine(view, deps.messages)
    try {
      return await execute(plan, { ...deps, engine, proceed, progress: noteProgress })
    } finally {
      await engine.close()
    }
  }

  /** The record of a run that found nothing new, and the beginning of every other. */
  function recordOf(about: About, plan: RunPlan): RunRecord {
    return {
      ...emptyRecord(about),
      endedMs: clock.nowMs(),
      messagesVersion: plan.messagesVersion,
      tidemark: plan.tidemark,
      full: plan.full,
      hours: plan.dates.reduce((sum, date) => sum + date.hours.length, 0),
    }
  }

  function noteProgress(done: number, total: number) {
    progress = { done, total }
  }

  /** Stops a run whose process is stopping. */
  function proceed() {
    if (closed) throw new TidemarkError('E_CLOSED', 'the process is stopping')
  }

  async function planNow(full: boolean) {
    const messages = (await deps.messages.snapshot()) as Snapshot
    const published = (await deps.viewTable.snapshot()) as Snapshot
    const ticks = ticksOf(await deps.ticks.snapshot())
    const state = viewState(published)
    const changes = state ? await deps.messages.changes(state.messagesVersion, messages.version) : null
    const plan = planRun({
      view,
      messages,
      published,
      ticks,
      addedSince: changes?.added ?? null,
      removedDates: (changes?.removed ?? []).map(dateOfPath),
      tickMs: config.tickMs,
      full,
    })
    return { plan, published }
  }

  /** The version it became; null when another run published first. */
  async function publish(plan: RunPlan, published: Snapshot, made: Executed, run: string) {
    const app = publishApp(view.name)
    try {
      const next = await deps.viewTable.commit(published, {
        operation: 'PUBLISH',
        add: made.add,
        remove: made.remove,
        dataChange: true,
        txns: {
          [app]: { version: (published.txns.get(app)?.version ?? 0) + 1, lastUpdatedMs: clock.nowMs() },
        },
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

  async function tend() {
    for (const table of [deps.viewTable, deps.runs]) {
      await table
        .tend(clock.nowMs(), config.retentionMs)
        .catch((error) => deps.logLine(`batch: ${describeError(error)}`))
    }
  }

  function armSchedule(schedule: string) {
    const next = new Cron(schedule, { paused: true, timezone: 'UTC' }).nextRun(new Date(clock.nowMs()))
    if (next === null) return
    nextMs = next.getTime()
    cancelSchedule = clock.after(nextMs - clock.nowMs(), () => {
      armSchedule(schedule)
      if (active === null) void run({ full: false }).catch(() => {})
    })
  }
  if (config.schedule !== null) armSchedule(config.schedule)

  return {
    run,
    runs: () => readRuns(deps.runs),
    status: () => ({ state: active === null ? 'idle' : 'running', progress, last, nextMs }),
    async close() {
      cancelSchedule()
      closed = true
      await active?.catch(() => {})
    },
  }
}

/** The date that a data file's folder names. */
function dateOfPath(path: string): string {
  return /date=(\d{4}-\d\d-\d\d)/.exec(path)?.[1] ?? ''
}
