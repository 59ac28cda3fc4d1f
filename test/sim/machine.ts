import type { Clock } from '../../schemas/ports/clock.ts'
import type { Machine } from '../../schemas/ports/machine.ts'
import { drain } from './incarnation.ts'

type Call = 'memory' | 'rootDisk' | 'controlGroupFile'

/** A machine that is as busy as a test says, and whose calls hang or fail as it says. */
export class SimMachine implements Machine {
  readonly #clock: Clock
  readonly #startMs: number
  cores = 4
  /** Share of all cores that is busy. */
  load = 0.25
  total = 8_000
  available = 6_000
  used = 300
  free = 700
  /** Files of the control group, by name. */
  readonly files = new Map<string, string | (() => string)>()
  readonly hanging = new Set<Call>()
  readonly failing = new Set<Call>()
  /** Calls made so far, and those that hang. */
  readonly calls: Call[] = []
  readonly #hung: (() => void)[] = []
  #busyMs = 0
  #seenMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startMs = clock.nowMs()
    this.#seenMs = this.#startMs
  }

  monotonicMs(): number {
    return this.#clock.nowMs() - this.#startMs
  }

  coreTimes() {
    const nowMs = this.#clock.nowMs()
    this.#busyMs += (nowMs - this.#seenMs) * this.cores * this.load
    this.#seenMs = nowMs
    return { busyMs: this.#busyMs, allMs: (nowMs - this.#startMs) * this.cores, cores: this.cores }
  }

  memory() {
    return this.#answer('memory', () => ({ total: this.total, available: this.available }))
  }

  rootDisk() {
    return this.#answer('rootDisk', () => ({ used: this.used, available: this.free }))
  }

  controlGroupFile(name: string) {
    return this.#answer('controlGroupFile', () => {
      const file = this.files.get(name) ?? null
      return typeof file === 'function' ? file() : file
    })
  }

  /** What hangs answers at last. */
  async wake(): Promise<void> {
    this.hanging.clear()
    for (const answer of this.#hung.splice(0)) answer()
    await drain()
  }

  async #answer<T>(call: Call, answer: () => T): Promise<T> {
    this.calls.push(call)
    if (this.failing.has(call)) throw new Error(`no ${call}`)
    if (this.hanging.has(call)) await new Promise<void>((resolve) => this.#hung.push(resolve))
    return answer()
  }
}
