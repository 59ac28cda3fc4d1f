/** Messages sent and not acknowledged. */
const WINDOW_MAX = 1_000
/** Messages sent in one go. */
export const BATCH_MAX = 100
/** A collector that owes an answer and gives none for so long is taken for lost. */
export const ANSWER_MS_MAX = 60_000

/**
 * What was sent on the connection there is, what of it is acknowledged, and whether the collector owes an answer. In
 * numbers alone: it does no I/O and has no clock.
 *
 *     hello ─▶ (waits) ─▶ welcome {seq}: sends on behind it ─▶ ack ─▶ … ─▶ the connection ends: all anew
 */
export class Flow {
  /** Number of the message sent last; null until the collector's welcome. */
  sentSeq: number | null = null
  /** Number up to which the collector settled, on any connection. */
  acked = 0
  /** Since when the collector owes an answer; null when it owes none. */
  #owedSinceMs: number | null = null

  get isWelcome(): boolean {
    return this.sentSeq !== null
  }

  /** The hello went out. */
  asked(nowMs: number): void {
    this.#owedSinceMs = nowMs
  }

  /** The collector said something. */
  heard(): void {
    this.#owedSinceMs = null
  }

  welcomed(seq: number): void {
    this.sentSeq = seq
  }

  /** Returns how many messages may be sent now. */
  room(): number {
    if (this.sentSeq === null) return 0
    return Math.max(0, Math.min(BATCH_MAX, WINDOW_MAX - (this.sentSeq - this.acked)))
  }

  sent(seq: number, nowMs: number): void {
    this.sentSeq = seq
    this.#owedSinceMs ??= nowMs
  }

  settled(seq: number): void {
    this.acked = Math.max(this.acked, seq)
  }

  /** What was sent and not settled yet will be answered. */
  expectMore(nowMs: number): void {
    if (this.sentSeq !== null && this.sentSeq > this.acked) this.#owedSinceMs ??= nowMs
  }

  /** Numbers begin at 1 again, under a new id. */
  renumbered(): void {
    this.acked = 0
  }

  ended(): void {
    this.sentSeq = null
    this.#owedSinceMs = null
  }

  /** Whether a connection has died without a word: true once, then the next answer is waited for anew. */
  fellSilent(nowMs: number): boolean {
    if (this.#owedSinceMs === null || Math.abs(nowMs - this.#owedSinceMs) < ANSWER_MS_MAX) return false
    this.#owedSinceMs = null
    return true
  }
}
