import { allViews } from '../lake/tables/deployment.ts'
import { viewSchema } from '../lake/tables/published.ts'
import { Coalesced } from '../schemas/coalesced.ts'
import { describeError, TidemarkError } from '../schemas/errors.ts'
import type { Random } from '../schemas/ports/clock.ts'
import type { RunRecord, RunStarter, RunState } from '../schemas/ports/layers.ts'
import { ActiveRun, endedRun } from './active-run.ts'
import { recordInterrupted } from './interrupted.ts'
import { readRuns, recordRuns } from './records.ts'
import { executeRun, type RunDeps } from './run.ts'
import { startSchedule } from './schedule.ts'

export interface BatchConfig {
  readonly tickMs: number
  /** When runs start (cron, UTC); null: only when asked. */
  readonly schedule: string | null
  /** Name of the engine, for the records. */
  readonly engine: string
  readonly retentionMs: number
  /** Whether no other process starts runs over this lake: what is left of a run is then of one that is over. */
  readonly isAlone: boolean
}

export interface BatchDeps extends Omit<RunDeps, 'tickMs'> {
  readonly random: Random
}

export interface Batch extends RunStarter {
  /** Starts a run as a person would, and waits for its end. */
  run(options: { full: boolean }): Promise<readonly RunRecord[]>
  /** Recorded runs, newest first, a record a view. */
  runs(): Promise<RunRecord[]>
  status(): BatchStatus
  /** Ends the run that is going on, without a record of it. */
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

/** Starts the batch layer: one run at a time, when the schedule says so or a person asks. */
export async function startBatch(config: BatchConfig, deps: BatchDeps): Promise<Batch> {
  const { tables } = deps
  for (const { view, published } of allViews(tables)) await published.create(viewSchema(view), {})
  await recordInterrupted(config.isAlone, deps)
  return new BatchLayer(config, deps)
}

interface Running {
  readonly run: ActiveRun
  readonly ended: Promise<readonly RunRecord[]>
}

class BatchLayer implements Batch {
  readonly #config: BatchConfig
  readonly #deps: BatchDeps
  readonly #schedule: ReturnType<typeof startSchedule>
  /** Clean-up of the tables: whoever asked for a run does not wait for it. */
  readonly #upkeep: Coalesced
  /** Records by run, of the last ones that ended. */
  readonly #remembered = new Map<string, readonly RunRecord[]>()
  #active: Running | null = null
  #last: readonly RunRecord[] = []
  #closed = false

  constructor(config: BatchConfig, deps: BatchDeps) {
    this.#config = config
    this.#deps = deps
    this.#upkeep = new Coalesced(() => this.#tend(), {
      say: (reason) => deps.logLine(`batch: ${reason}`),
    })
    this.#schedule = startSchedule(config.schedule, deps.clock, () => {
      if (this.#active === null) this.#start({ full: false, asked: false })
    })
  }

  start({ full }: { full: boolean }): { run: string; ended: Promise<readonly RunRecord[]> } {
    const { run, ended } = this.#start({ full, asked: true })
    return { run: run.about.run, ended }
  }

  async run({ full }: { full: boolean }): Promise<readonly RunRecord[]> {
    return this.#start({ full, asked: true }).ended
  }

  #start(how: { full: boolean; asked: boolean }): Running {
    if (this.#closed) throw new TidemarkError('E_CLOSED', 'the batch layer is closed')
    if (this.#active !== null) {
      const { run } = this.#active.run.about
      throw new TidemarkError('E_RUN_ACTIVE', `run ${run} is going on; wait for it to end, or cancel it`)
    }
    const { random, clock } = this.#deps
    const { engine } = this.#config
    const run = new ActiveRun({ run: random.hex(8), startedMs: clock.nowMs(), engine, ...how })
    this.#active = { run, ended: this.#execute(run) }
    return this.#active
  }

  /** Never rejects. */
  async #execute(run: ActiveRun): Promise<readonly RunRecord[]> {
    await executeRun(run, { ...this.#deps, tickMs: this.#config.tickMs })
    const { records } = run
    this.#last = records
    this.#remembered.set(run.about.run, records)
    if (this.#remembered.size > REMEMBERED_MAX) this.#remembered.delete(this.#remembered.keys().next().value!)
    run.stage('record')
    if (!this.#closed) await this.#record(run)
    this.#active = null
    return records
  }

  /** What found nothing leaves no trace in the lake: an idle schedule would only add records. */
  async #record({ records, stages }: ActiveRun): Promise<void> {
    const { tables, logLine } = this.#deps
    const found = records.filter(({ result }) => result !== 'nothing_new')
    try {
      if (found.length > 0) await recordRuns(tables.runs, found)
      for (const one of stages) await one.forget()
    } catch (error) {
      logLine(`batch: ${describeError(error)}`)
    }
    void this.#upkeep.kick()
  }

  async #tend(): Promise<void> {
    const { tables, clock, logLine } = this.#deps
    const ofViews = allViews(tables).flatMap(({ published, frozen }) => [published, frozen])
    for (const table of [...ofViews, tables.runs]) {
      if (this.#closed) return
      await table
        .tend(clock.nowMs(), this.#config.retentionMs)
        .catch((error) => logLine(`batch: ${describeError(error)}`))
    }
  }

  async find(id: string): Promise<RunState | null> {
    const run = this.#active?.run
    if (run?.about.run === id) return run.state()
    const remembered = this.#remembered.get(id)
    return endedRun(remembered ?? (await this.runs()).filter((record) => record.run === id))
  }

  cancel(id: string): boolean {
    const run = this.#active?.run
    if (run?.about.run !== id) return false
    run.stop(new TidemarkError('E_CANCELLED', 'the run was cancelled'))
    return true
  }

  runs(): Promise<RunRecord[]> {
    return readRuns(this.#deps.tables.runs)
  }

  status(): BatchStatus {
    return {
      state: this.#active === null ? 'idle' : 'running',
      active: this.#active?.run.state() ?? null,
      last: this.#last,
      nextMs: this.#schedule.nextMs,
    }
  }

  async close(): Promise<void> {
    this.#schedule.cancel()
    this.#closed = true
    this.#active?.run.stop(new TidemarkError('E_CLOSED', 'the process is stopping'))
    await this.#active?.ended
    await this.#upkeep.close()
  }
}
