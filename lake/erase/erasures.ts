import type { LogReader } from '../../log/port.ts'
import { describeError, isError, TidemarkError } from '../../schemas/errors.ts'
import { type Clock, type Random, sleep } from '../../schemas/ports/clock.ts'
import type { RunRecord, RunStarter, Sealer } from '../../schemas/ports/layers.ts'
import { covers, IMPORT_PARTITION, offsetIn, type Position } from '../../schemas/position.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import type { Act, Audit } from '../audit.ts'
import type { ObjectStore } from '../store/port.ts'
import type { DatasetTables, LakeTables } from '../tables/deployment.ts'
import { coveredPosition } from '../tables/messages.ts'
import type { SealEncoder } from '../writer/seal-files.ts'
import { checkErased, type ErasedMessages } from './condition.ts'
import {
  dropErasure,
  type Erasure,
  type ErasureStage,
  keepErasure,
  readErasure,
  readErasures,
} from './erasure-log.ts'
import { countFrozen, eraseFrozen, type FrozenErased } from './frozen.ts'
import { removeOldVersions } from './old-versions.ts'
import { receiptOf } from './receipt.ts'
import { countRows, eraseRows } from './rows.ts'

/**
 * Erasures. What was accepted before one was asked for, and is named by it, is gone from every answer when its stages `rows` and
 * `views` are over, and from every byte after `old versions`:
 *
 *     cut the log ─▶ kept in `_erasures/` ─▶ seal ─▶ rows out of messages
 *        ─▶ frozen cells: out, or without the name (`frozen.ts`)                   rows
 *        ─▶ run: every view published past the cut ─▶ log trimmed to the cut       views
 *        ─▶ kept lines of `rejects/` ─▶ receipt in the audit
 *        ─▶ `lake.retention` over ─▶ ticks, old versions, left-over files          old versions
 *
 * Each step can be done again, and is: whatever ends the process, the next one goes on where it was. A log that could give the rows
 * back is trimmed before the receipt is written.
 */
export interface Erasures {
  /** What an erasure would take out of what is accepted now. Throws `E_USAGE`. */
  preview(dataset: string, what: ErasedMessages): Promise<FoundMessages>
  /** Begins an erasure; it is kept when this resolves. Throws `E_USAGE`. */
  start(asked: AskedErasure): Promise<{ readonly id: string; readonly ended: Promise<ErasureState> }>
  /** Continues an erasure that waits. Returns null when there is none of that id. */
  resume(id: string, options: { readonly vacuum: boolean }): Promise<ErasureState | null>
  /** Those that are not over. */
  pending(): Promise<readonly ErasureState[]>
  /** One that is not over, or ended in this process; null when there is none of that id. */
  find(id: string): Promise<ErasureState | null>
  close(): Promise<void>
}

/** What would be erased. */
export interface FoundMessages {
  readonly rows: number
  readonly files: number
  /** Cells of expired messages that would be removed, or changed so that they do not name it. */
  readonly frozen_cells: number
}

export interface AskedErasure extends ErasedMessages {
  readonly who: string
  readonly dataset: string
  /** Whether old versions go at once, although readers may still use them. */
  readonly vacuum: boolean
}

export interface ErasureState {
  readonly erasure: string
  /** `waiting`: it goes on by itself. */
  readonly state: 'running' | 'waiting' | 'ended'
  /** What is done now or next; null when it is over. */
  readonly stage: ErasureStage | null
  readonly rows: number
  readonly frozen_cells: FrozenErased
  /** Whether no answer holds what was erased. */
  readonly erased: boolean
  /** Why it waits. */
  readonly reason: string | null
}

export interface ErasuresDeps {
  readonly store: ObjectStore
  readonly tables: LakeTables
  readonly audit: Audit
  readonly log: LogReader
  readonly sealer: Sealer
  readonly runs: RunStarter
  readonly encoder: Pick<SealEncoder, 'without'>
  /** Forgets of the log what is not needed any more. */
  trim(): Promise<void>
  /** Forgets the refused lines that mention all of `words`. Returns how many. */
  forgetRejects(words: readonly string[]): Promise<number>
  /** What else of this machine may hold what was erased. */
  forgetCaches(): Promise<void>
  readonly clock: Clock
  readonly random: Random
  logLine(line: string): void
}

/** A run that is going on is waited for, and polled this often. */
const LOOK_MS = 250
/** Runs that another one was faster than. */
const RUNS_MAX = 5
/** Ended erasures of this process that can be asked for. */
const REMEMBERED_MAX = 100

export function startErasures(config: { readonly retentionMs: number }, deps: ErasuresDeps): Erasures {
  return new Eraser(config, deps)
}

class Eraser implements Erasures {
  readonly #retentionMs: number
  readonly #deps: ErasuresDeps
  readonly #inTurn = serialQueue()
  readonly #closing = new AbortController()
  readonly #states = new Map<string, ErasureState>()
  #cancelHourly = () => {}

  constructor({ retentionMs }: { readonly retentionMs: number }, deps: ErasuresDeps) {
    this.#retentionMs = retentionMs
    this.#deps = deps
    this.#armHourly(0)
  }

  #armHourly(ms: number): void {
    this.#cancelHourly = this.#deps.clock.after(ms, () => {
      this.#armHourly(HOUR_MS)
      void this.#resumeAll().catch((error) => this.#deps.logLine(`erasure: ${describeError(error)}`))
    })
  }

  async #resumeAll(): Promise<void> {
    for (const { id } of await readErasures(this.#deps.store)) await this.resume(id, { vacuum: false })
  }

  async preview(name: string, what: ErasedMessages): Promise<FoundMessages> {
    const tables = this.#tables(name)
    checkErased(tables.dataset, what)
    await this.#deps.sealer.seal()
    const upTo = await this.#accepted(tables, {})
    const { encoder } = this.#deps
    const { signal } = this.#closing
    const found = await countRows({ ...what, upTo }, { ...tables, encoder, signal })
    const { removed, unnamed } = await countFrozen(what, tables, signal)
    return { ...found, frozen_cells: removed + unnamed }
  }

  async start({ who, dataset, where, fromMs, toMs, vacuum }: AskedErasure) {
    const { store, log, clock, random } = this.#deps
    const tables = this.#tables(dataset)
    checkErased(tables.dataset, { where, fromMs, toMs })
    const ends = () => Object.fromEntries(log.partitions().map((p) => [p, log.end(p)]))
    const upTo = await this.#accepted(tables, (await log.cut?.()) ?? ends())
    const id = random.hex(8)
    const asked = { id, who, askedMs: clock.nowMs(), dataset, where, fromMs, toMs, upTo }
    await keepErasure(store, { ...asked, stage: 'rows', rows: 0, erasedMs: null })
    return { id, ended: this.resume(id, { vacuum }).then((state) => state!) }
  }

  /** The position of everything accepted: of partitions that end the log's, of all others the table's. */
  async #accepted({ messages }: DatasetTables, log: Position): Promise<Position> {
    const base = await messages.snapshot()
    const imports = base?.txns.get('import')?.version ?? -1
    return { ...coveredPosition(base), ...log, [IMPORT_PARTITION]: imports }
  }

  #tables(name: string): DatasetTables {
    const { datasets } = this.#deps.tables
    const found = datasets.find(({ dataset }) => dataset.name === name)
    if (found !== undefined) return found
    const known = datasets.map(({ dataset }) => dataset.name).join(', ')
    throw new TidemarkError('E_USAGE', `there is no dataset ${name}; there are ${known}`, {
      field: 'dataset',
    })
  }

  resume(id: string, { vacuum }: { vacuum: boolean }): Promise<ErasureState | null> {
    const known = this.#states.get(id)
    // A question from now on must not be told the reason of the last try as that of this one.
    if (known?.state === 'waiting') this.#note({ ...known, state: 'running', reason: null })
    return this.#inTurn(async () => {
      const erasure = await readErasure(this.#deps.store, id)
      if (erasure === null) return this.#states.get(id) ?? null
      let now = erasure
      const told = (next: Erasure) => {
        now = next
        this.#note({ ...stateOf(next), state: 'running' })
      }
      told(erasure)
      try {
        this.#note(await this.#goOn(erasure, vacuum, told))
      } catch (error) {
        const reason = describeError(error)
        this.#deps.logLine(`erasure ${id} waits: ${reason}`)
        this.#note({ ...stateOf(now), reason })
      }
      return this.#states.get(id)!
    })
  }

  #note(state: ErasureState): void {
    this.#states.delete(state.erasure)
    this.#states.set(state.erasure, state)
    if (this.#states.size > REMEMBERED_MAX) this.#states.delete(this.#states.keys().next().value!)
  }

  async #goOn(from: Erasure, vacuum: boolean, told: (next: Erasure) => void): Promise<ErasureState> {
    let erasure = from
    const keep = async (next: Partial<Erasure>) => {
      erasure = { ...erasure, ...next }
      await keepErasure(this.#deps.store, erasure)
      told(erasure)
    }
    if (erasure.stage === 'rows') {
      const rows = await this.#eraseRows(erasure)
      const { clock } = this.#deps
      const deps = { clock, signal: this.#closing.signal }
      const frozen = await eraseFrozen(erasure.id, erasure, this.#tables(erasure.dataset), deps)
      await keep({ stage: 'views', rows, frozen })
    }
    if (erasure.stage === 'views') {
      await this.#eraseElsewhere(erasure)
      await keep({ stage: 'old versions', erasedMs: this.#deps.clock.nowMs(), receipt: null })
    }
    const reason = await this.#removeOld(erasure, vacuum)
    return { ...stateOf(erasure), ...(reason === null ? { state: 'ended', stage: null } : { reason }) }
  }

  async #eraseRows(erasure: Erasure): Promise<number> {
    const { sealer, encoder, clock } = this.#deps
    const { dataset, messages } = this.#tables(erasure.dataset)
    await sealer.seal()
    if (!covers(coveredPosition(await messages.snapshot()), ofLog(erasure.upTo)))
      throw new TidemarkError(
        'E_ERASURE',
        `${messages.name} does not hold everything that was accepted before`,
      )
    const { signal } = this.#closing
    return eraseRows(erasure.id, erasure, { dataset, messages, encoder, clock, signal })
  }

  /** Views, log and refused lines; then the receipt. */
  async #eraseElsewhere(erasure: Erasure): Promise<void> {
    if (isChange(erasure)) {
      await this.#publish(erasure)
      await this.#trim(erasure)
    }
    const rejects = await this.#deps.forgetRejects(Object.values(erasure.where))
    await this.#deps.forgetCaches()
    await this.#receipt(erasure, await receiptOf(erasure, rejects, this.#tables(erasure.dataset)))
  }

  /** Once, although a crash may let it be asked for twice: its name is kept before, and no list need show what was written. */
  async #receipt(erasure: Erasure, act: Act): Promise<void> {
    const { audit, clock, random, store } = this.#deps
    const receipt = erasure.receipt ?? { id: random.hex(8), timeMs: clock.nowMs() }
    if (receipt !== erasure.receipt) await keepErasure(store, { ...erasure, receipt })
    await audit.record(act, receipt)
  }

  /** Publishes every view of the dataset from the messages that are left, past what the log may give back. */
  async #publish({ dataset, upTo, frozen }: Erasure): Promise<void> {
    const { views } = this.#tables(dataset)
    // No run looks whether frozen cells changed, which nothing else does.
    const full = (frozen?.removed ?? 0) + (frozen?.unnamed ?? 0) > 0
    for (let runs = 1; ; runs++) {
      const records = await this.#run(full)
      const behind = views.flatMap(({ view }) => {
        const record = records.find((one) => one.view === view.name)
        const reason = record === undefined ? 'it was not run' : whyBehind(record, upTo)
        return reason === null ? [] : [`${view.name}: ${reason}`]
      })
      if (behind.length === 0) return
      if (runs === RUNS_MAX) throw new TidemarkError('E_ERASURE', behind.join('; '))
    }
  }

  async #run(full: boolean): Promise<readonly RunRecord[]> {
    const { runs, clock } = this.#deps
    for (;;) {
      this.#closing.signal.throwIfAborted()
      try {
        return await runs.start({ full }).ended
      } catch (error) {
        if (!isError(error, 'E_RUN_ACTIVE')) throw error
      }
      await sleep(clock, LOOK_MS, this.#closing.signal)
    }
  }

  async #trim({ upTo }: Erasure): Promise<void> {
    const { log, trim } = this.#deps
    await trim()
    const held = log.partitions().find((partition) => log.start(partition) < offsetIn(upTo, partition))
    if (held === undefined) return
    const blocks = `blocks ${log.start(held) + 1} to ${offsetIn(upTo, held)}`
    throw new TidemarkError(
      'E_ERASURE',
      `the log still holds ${blocks}: another view was not published past them`,
    )
  }

  /** Why something old is left; null when nothing is and it is over. */
  async #removeOld(erasure: Erasure, vacuum: boolean): Promise<string | null> {
    const { store, clock } = this.#deps
    const { id, who, erasedMs, upTo } = erasure
    if (isChange(erasure)) {
      const dueMs = erasedMs! + this.#retentionMs
      const nowMs = clock.nowMs()
      if (!vacuum && nowMs < dueMs) return `old versions hold it until ${new Date(dueMs).toISOString()}`
      const tables = this.#tables(erasure.dataset)
      const retentionMs = vacuum ? 0 : this.#retentionMs
      const left = await removeOldVersions(upTo, erasedMs!, { store, tables, clock, nowMs, retentionMs })
      if (left !== null) return left
      const act = { who, what: 'erase old versions', about: { erasure: id }, rows: null, result: 'done' }
      await this.#receipt(erasure, act)
    }
    await dropErasure(store, id)
    return null
  }

  async pending(): Promise<readonly ErasureState[]> {
    const pending = await readErasures(this.#deps.store)
    return pending.map((one) => this.#states.get(one.id) ?? stateOf(one))
  }

  async find(id: string): Promise<ErasureState | null> {
    const known = this.#states.get(id)
    if (known !== undefined) return known
    const erasure = await readErasure(this.#deps.store, id)
    return erasure === null ? null : stateOf(erasure)
  }

  async close(): Promise<void> {
    this.#cancelHourly()
    this.#closing.abort(new TidemarkError('E_CLOSED', 'the process is stopping'))
    await this.#inTurn(async () => {})
  }
}

/** Whether it took anything out. */
function isChange({ rows, frozen }: Erasure): boolean {
  return rows > 0 || (frozen?.removed ?? 0) > 0 || (frozen?.unnamed ?? 0) > 0
}

/** Without imports. */
function ofLog({ [IMPORT_PARTITION]: _, ...position }: Position): Position {
  return position
}

function whyBehind({ result, error, tidemark }: RunRecord, upTo: Position): string | null {
  if (result !== 'published' && result !== 'nothing_new') return error ?? result
  return covers(tidemark, ofLog(upTo)) ? null : 'real-time ticks still hold it'
}

function stateOf({ id, stage, rows, frozen, erasedMs }: Erasure): ErasureState {
  const frozen_cells = frozen ?? { removed: 0, unnamed: 0 }
  return { erasure: id, state: 'waiting', stage, rows, frozen_cells, erased: erasedMs !== null, reason: null }
}
