import type { ErrorCode } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { LINE_MS_MAX } from './line-limits.ts'

const NEWLINE = 0x0a

/** The connection that is watched. */
export interface Watched {
  /** Whether it waits for an answer, or to be read. */
  waits(): boolean
  /** Bytes of answers that it has not read. */
  unreadBytes(): number
  refuse(code: ErrorCode, reason: string): void
  destroy(): void
}

/** Ends a connection that is silent, or leaves a line unfinished, for too long. */
export class Timeouts {
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #watched: Watched
  #lastMs: number
  /** Since when the rest of a line is awaited; null when none is. */
  #lineSinceMs: number | null = null
  #cancel = () => {}

  constructor({ clock, idleMs }: { readonly clock: Clock; readonly idleMs: number }, watched: Watched) {
    this.#clock = clock
    this.#idleMs = idleMs
    this.#watched = watched
    this.#lastMs = clock.nowMs()
    this.#watch()
  }

  /** Notes that `bytes` came. */
  heard(bytes: Uint8Array): void {
    this.#lastMs = this.#clock.nowMs()
    if (bytes[bytes.length - 1] === NEWLINE) this.#lineSinceMs = null
    else if (this.#lineSinceMs === null || bytes.includes(NEWLINE)) this.#lineSinceMs = this.#lastMs
  }

  /** Notes that the connection is read again: meanwhile it could not finish a line. */
  readAgain(): void {
    if (this.#lineSinceMs !== null) this.#lineSinceMs = this.#clock.nowMs()
  }

  stop(): void {
    this.#cancel()
  }

  #watch(): void {
    const nowMs = this.#clock.nowMs()
    const dueMs = Math.min(this.#lastMs + this.#idleMs, (this.#lineSinceMs ?? nowMs) + LINE_MS_MAX)
    this.#cancel = this.#clock.after(Math.max(1, dueMs - nowMs), () => this.#look())
  }

  #look(): void {
    const nowMs = this.#clock.nowMs()
    this.#steppedBack(nowMs)
    const idle = nowMs - this.#lastMs >= this.#idleMs
    const slow = this.#lineSinceMs !== null && nowMs - this.#lineSinceMs >= LINE_MS_MAX
    const waits = this.#watched.waits()
    // A connection that waits is not idle, unless it does not read its answers.
    if (idle && this.#watched.unreadBytes() > 0) this.#watched.destroy()
    else if (slow && !waits)
      this.#watched.refuse('E_SLOW', `a line was not finished in ${LINE_MS_MAX / 1_000} s`)
    else if (idle && !waits) this.#watched.refuse('E_IDLE', `nothing came for ${this.#idleMs / 1_000} s`)
    else this.#goOn(idle, slow)
  }

  /** A clock that stepped back would make the wait as much longer. */
  #steppedBack(nowMs: number): void {
    this.#lastMs = Math.min(this.#lastMs, nowMs)
    if (this.#lineSinceMs !== null) this.#lineSinceMs = Math.min(this.#lineSinceMs, nowMs)
  }

  #goOn(idle: boolean, slow: boolean): void {
    const nowMs = this.#clock.nowMs()
    if (idle) this.#lastMs = nowMs
    if (slow) this.#lineSinceMs = nowMs
    this.#watch()
  }
}
