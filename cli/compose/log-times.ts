import type { LogReader } from '../../log/port.ts'
import type { Clock } from '../../schemas/ports/clock.ts'

/** Between two notes of where the log ends, and how many are kept: of five hours at least. */
const NOTE_EVERY_MS = 1_000
const NOTES_MAX = 20_000
/** When there are too many, so many of the oldest go at once. */
const FORGOTTEN = 2_000

/** When a partition of the log came to be how long, since this process started: a position's lag in time. */
export class LogTimes {
  readonly #log: Pick<LogReader, 'end'>
  readonly #clock: Clock
  readonly #partition: number
  /** Where the log ended at a time, both growing. */
  readonly #notes: { readonly timeMs: number; end: number }[]
  readonly #stop: () => void

  constructor(log: Pick<LogReader, 'end' | 'onAppend'>, partition: number, clock: Clock) {
    this.#log = log
    this.#partition = partition
    this.#clock = clock
    this.#notes = [{ timeMs: clock.nowMs(), end: log.end(partition) }]
    this.#stop = log.onAppend(() => this.#note())
  }

  #note(): void {
    const timeMs = this.#clock.nowMs()
    const last = this.#notes.at(-1)!
    const end = this.#log.end(this.#partition)
    if (end === last.end) return
    // The time of a note is that of its first block: lags are told too long by a second rather than too short.
    if (timeMs - last.timeMs < NOTE_EVERY_MS && this.#notes.length > 1) last.end = end
    else this.#notes.push({ timeMs, end })
    if (this.#notes.length > NOTES_MAX) this.#notes.splice(0, FORGOTTEN)
  }

  /**
   * How long ago the first block behind `position` became durable, in milliseconds, to the second; 0 when there is none. What is
   * older than the notes is told as old as they are.
   */
  lagMs(position: number): number {
    let [low, high] = [0, this.#notes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#notes[middle]!.end > position) high = middle
      else low = middle + 1
    }
    const note = this.#notes[low]
    return note === undefined ? 0 : Math.max(0, this.#clock.nowMs() - note.timeMs)
  }

  close(): void {
    this.#stop()
  }
}
