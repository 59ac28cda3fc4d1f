import { describeError, TidemarkError } from '../schemas/errors.ts'
import { type Clock, type Random, sleep } from '../schemas/ports/clock.ts'
import { dropEntriesBefore, encodeEntry, type LeaseEntry, leaseKey, newestEntry } from './lease-log.ts'
import { guarded } from './store/guarded.ts'
import type { ObjectStore } from './store/port.ts'
import { putUntilClear } from './store/put-until-clear.ts'

/**
 * A lease: of the processes that share a lake one owner writes. It stands in numbered objects, the newest of which counts;
 * the owner is the process whose put-if-absent of the next number won, and which then found it to be the newest.
 *
 *     none, given back, or the owner's own of before ──▶ put n + 1 ─▶ newest? ─▶ held ─┬─ every 20 s: put n + 1 ─▶ newest?
 *     another's, not yet ended ──▶ E_LAKE_OWNED                                        │      no: lost, for good
 *     another's, ended ──▶ wait: renewed within 60 s? ─▶ E_LAKE_OWNED                  └─ not renewed for 40 s: writes wait
 *                                └ no: put n + 1 ─▶ newest? ─▶ held
 *
 * Clocks of two machines may differ, so another's lease that seems to have ended is watched for as long as one lasts, by
 * timers. Its owner stops writing 40 s after it last began to renew, 20 s before anyone can have taken it over. What it sent
 * before and its store does later must be fenced by the process that takes over, with a commit to each table (`readNamedPosition`).
 */

const LEASE_MS = 60_000
const RENEW_MS = 20_000
/** So long after it last began to renew it may write: the rest is for what is on its way. */
const WRITE_MS = 40_000
/** After a renewal that failed. */
const RETRY_MS = 5_000

export interface LeaseConfig {
  /** The owner's own id. Two processes that have the same at the same time must be kept apart by other means. */
  readonly owner: string
  /** What to name to a second owner: program and process, then its machine. */
  readonly holder: string
  readonly host: string
  /** What it is a lease on, for messages; absent: `lake`. */
  readonly what?: string
}

export interface LeaseDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  /** Ends the wait for another's lease to run out: then `E_CLOSED`. */
  readonly signal?: AbortSignal
  /** Called once when another took the lease over: this process must stop. */
  lost(error: TidemarkError): void
  logLine(line: string): void
}

/** Takes the lease. Throws `E_LAKE_OWNED`, which names the owner, or what the store throws. */
export async function takeLease(config: LeaseConfig, deps: LeaseDeps): Promise<Lease> {
  const lease = new Lease(config, deps)
  await lease.take()
  return lease
}

export class Lease {
  readonly #config: LeaseConfig
  readonly #deps: LeaseDeps
  readonly #session: string
  #number = 0
  /** Until when it may write, by the clock; a timer that runs out first ends it too. */
  #writeUntilMs = Number.NEGATIVE_INFINITY
  #isOver = true
  #lost: TidemarkError | null = null
  #closed = false
  #failing = false
  #renewing: Promise<void> = Promise.resolve()
  #cancelRenew = () => {}
  #cancelOver = () => {}

  constructor(config: LeaseConfig, deps: LeaseDeps) {
    this.#config = config
    this.#deps = deps
    this.#session = deps.random.hex(16)
  }

  /** Why this process must not write now; null when it may. */
  refusal(): string | null {
    if (this.#lost !== null) return this.#lost.message
    if (this.#closed) return `the lease on the ${this.#what} was given back`
    const isOver = this.#isOver || this.#deps.clock.nowMs() >= this.#writeUntilMs
    return isOver ? `the lease on the ${this.#what} could not be renewed in time` : null
  }

  /** The lake's store, which refuses to be changed (`E_STORE`) while this process must not. */
  guard(store: ObjectStore): ObjectStore {
    return guarded(store, () => this.refusal())
  }

  /** See `takeLease`. */
  async take(): Promise<void> {
    const { store, clock, logLine, signal } = this.#deps
    const found = await newestEntry(store)
    this.#number = found?.number ?? 0
    if (found !== null && !this.#mayFollow(found.entry)) {
      if (found.entry !== null && found.entry.expiresMs > clock.nowMs()) throw this.#owned(found.entry)
      const seconds = LEASE_MS / 1_000
      logLine(
        `${this.#what}: its owner was ${named(found.entry)}; taking over if it stays silent for ${seconds} s`,
      )
      await sleep(clock, LEASE_MS, signal)
      if (signal?.aborted) throw new TidemarkError('E_CLOSED', `stopped while waiting for the ${this.#what}`)
    }
    await this.#put(false)
    if (this.#lost !== null) throw this.#lost
    this.#arm(RENEW_MS)
  }

  get #what(): string {
    return this.#config.what ?? 'lake'
  }

  #owned(entry: LeaseEntry | null): TidemarkError {
    return new TidemarkError('E_LAKE_OWNED', `the ${this.#what} is owned by ${named(entry)}`)
  }

  #mayFollow(entry: LeaseEntry | null): boolean {
    return entry !== null && (entry.released || entry.owner === this.#config.owner)
  }

  #arm(ms: number): void {
    this.#cancelRenew = this.#deps.clock.after(ms, () => {
      this.#renewing = this.#renew()
    })
  }

  async #renew(): Promise<void> {
    try {
      await this.#put(false)
      this.#failing = false
    } catch (error) {
      if (!this.#failing)
        this.#deps.logLine(`${this.#what}: the lease was not renewed: ${describeError(error)}`)
      this.#failing = true
    }
    if (this.#lost !== null) this.#deps.lost(this.#lost)
    else if (!this.#closed) this.#arm(this.#failing ? RETRY_MS : RENEW_MS)
  }

  /** Puts the next number, and looks whose the newest is then: an entry that was removed meanwhile could be put once more. */
  async #put(released: boolean): Promise<void> {
    const { store, clock, random } = this.#deps
    const { owner, holder, host } = this.#config
    const startMs = clock.nowMs()
    let isOver = false
    const cancel = clock.after(WRITE_MS, () => {
      isOver = true
      this.#isOver = true
    })
    try {
      const expiresMs = released ? startMs : startMs + LEASE_MS
      const entry = { owner, session: this.#session, holder, host, expiresMs, released }
      const bytes = encodeEntry(entry, random.hex(16))
      await putUntilClear(store, clock, leaseKey(this.#number + 1), bytes)
      const newest = await newestEntry(store, this.#number)
      if (newest?.entry?.session === this.#session) this.#number = newest.number
      else this.#lost = this.#owned(newest?.entry ?? null)
    } catch (error) {
      cancel()
      throw error
    }
    if (this.#lost !== null) return cancel()
    this.#cancelOver()
    this.#cancelOver = cancel
    this.#isOver = isOver
    this.#writeUntilMs = startMs + WRITE_MS
    await dropEntriesBefore(store, this.#number).catch(() => {})
  }

  /** Gives it back, so that another can take it at once. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#cancelRenew()
    await this.#renewing
    this.#cancelRenew()
    this.#closed = true
    if (this.#lost === null) {
      await this.#put(true).catch((error) =>
        this.#deps.logLine(`${this.#what}: the lease was not given back: ${describeError(error)}`),
      )
    }
    this.#cancelOver()
  }
}

function named(entry: LeaseEntry | null): string {
  if (entry === null) return 'a process whose entry cannot be read'
  return `${entry.holder} on ${entry.host}, until ${new Date(entry.expiresMs).toISOString()} unless it renews`
}
