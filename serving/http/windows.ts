import type { Clock } from '../../schemas/ports/clock.ts'

/** Keys that are remembered; of more those go whose time began first. */
const REMEMBERED_MAX = 10_000

interface Window {
  count: number
  readonly fromMs: number
}

/** Counts by key what happens within a time that begins with the first. What it remembers is bounded. */
export class Windows {
  readonly ms: number
  readonly #clock: Clock
  /** Those that began first are first. */
  readonly #windows = new Map<string, Window>()

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.ms = ms
  }

  /** How often it happened. */
  of(key: string): number {
    return this.#open(key)?.count ?? 0
  }

  /** It happened once more; returns how often by now. */
  count(key: string): number {
    const open = this.#open(key)
    if (open !== undefined) return ++open.count
    this.#windows.delete(key)
    if (this.#windows.size >= REMEMBERED_MAX) this.#windows.delete(this.#windows.keys().next().value!)
    this.#windows.set(key, { count: 1, fromMs: this.#clock.nowMs() })
    return 1
  }

  /** Milliseconds until it is forgotten; 0 where nothing is counted. */
  leftMs(key: string): number {
    const open = this.#open(key)
    return open === undefined ? 0 : open.fromMs + this.ms - this.#clock.nowMs()
  }

  #open(key: string): Window | undefined {
    const window = this.#windows.get(key)
    if (window === undefined) return undefined
    // A clock that was set back makes no time longer.
    const ageMs = this.#clock.nowMs() - window.fromMs
    return ageMs >= 0 && ageMs < this.ms ? window : undefined
  }
}

/** Of IPv6 the half that a provider gives one customer: the other is theirs to choose. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::', 2)
  const groups = head.split(':').filter((group) => group !== '')
  const left = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length
  return [...groups, ...Array(Math.max(0, left)).fill('0')].slice(0, 4).join(':')
}
