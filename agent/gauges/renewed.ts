import type { Machine } from '../../schemas/ports/machine.ts'

export interface RenewedTimes {
  /** How often it is read anew. */
  readonly everyMs: number
  /** How long a value stands that cannot be renewed. */
  readonly ageMsMax: number
}

/** Something that changes slowly. It is read anew behind the back of its readers, which wait for the first value alone. */
export class Renewed<T> {
  readonly #machine: Machine
  readonly #times: RenewedTimes
  readonly #read: () => Promise<T | null>
  #value: T | null = null
  #renewing: Promise<void> = Promise.resolve()
  #readMs = Number.NEGATIVE_INFINITY
  #knownMs = Number.NEGATIVE_INFINITY

  /** `read` gives null where there is none now; it does not throw. */
  constructor(machine: Machine, times: RenewedTimes, read: () => Promise<T | null>) {
    this.#machine = machine
    this.#times = times
    this.#read = read
  }

  /** Returns the last value; null when there is none, or it is too old. */
  async value(): Promise<T | null> {
    const { everyMs, ageMsMax } = this.#times
    const nowMs = this.#machine.monotonicMs()
    if (nowMs - this.#readMs >= everyMs) this.#renewing = this.#renew(nowMs)
    if (this.#value === null) await this.#renewing
    return nowMs - this.#knownMs < ageMsMax ? this.#value : null
  }

  async #renew(nowMs: number): Promise<void> {
    this.#readMs = nowMs
    const value = await this.#read()
    if (value === null) return
    this.#value = value
    this.#knownMs = nowMs
  }
}
