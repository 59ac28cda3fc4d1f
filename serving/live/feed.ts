import type { NumberColumn } from '../../schemas/cell-column.ts'
import type { KeySummary } from '../../schemas/cell-rows.ts'
import { type Cells, keyAt, timesOf } from '../../schemas/cells.ts'
import { isError } from '../../schemas/errors.ts'
import type { Clock, Pause } from '../../schemas/ports/clock.ts'
import { bucketStart, MINUTE_MS } from '../../schemas/time.ts'
import type { View } from '../../schemas/view.ts'
import { layoutOf } from '../../schemas/view-columns.ts'
import type { Answers, Range } from '../answers.ts'

/**
 * The newest cells of a view, and when each changed: one computation for all its followers.
 *
 *     look 7        look 8        look 9
 *     a, b changed  c changed     a changed       cells: b 7, c 8, a 9
 *                                                 since(7): c, a
 *
 * Each cell is kept once, as it was last seen, under the number of the look that found it changed. So a follower needs no queue: it
 * is behind by the cells with a greater number than its own, however long it did not read, and each is told as it is then.
 */
export interface LiveCell {
  readonly key: string
  readonly timeMs: number
  /** Of the look that found it like this. */
  readonly look: number
  readonly messages: number
  /** As it is told. */
  readonly text: string
}

export interface FeedDeps {
  readonly answers: Answers
  readonly clock: Clock
  /** Absent: a look is made in one go. */
  readonly pause?: Pause
  /** How a row is told. */
  write(cells: Cells): (i: number) => string
  logLine(line: string): void
}

/** Between two looks; together with what a sender's block waits, well below the second within which a message is seen. */
const LOOK_EVERY_MS = 200
/** After a look that took long there is a pause of so many times its length. */
const REST_FACTOR = 4
/** A follower hears something within this time, cells or not. */
const WAKE_EVERY_MS = 15_000
/** How far back the newest cells go: so long, or so many buckets. */
const WINDOW_MS = 5 * MINUTE_MS
const WINDOW_BUCKETS = 2
/** A time may lie so far ahead of the clock. */
const AHEAD_MS = 10 * MINUTE_MS
/** Keys whose cells are read in one go. */
const KEYS_AT_ONCE = 64
/** Newest cells of one view that are kept. Those beyond are not told, and counted. */
export const LIVE_CELLS_MAX = 50_000

export class Feed {
  readonly view: View
  readonly windowMs: number
  readonly #deps: FeedDeps
  /** By key and time, in the order of their looks. */
  readonly #cells = new Map<string, LiveCell>()
  /** Messages of each key when its cells were read. */
  #read = new Map<string, number>()
  #look = 0
  #latest: readonly LiveCell[] = []
  /** What a look that goes on, or that could not go on, has found. */
  #found: LiveCell[] = []
  #stoodOn = ''
  #leftOut = 0
  readonly #waiting = new Set<() => void>()
  #cancelLook = () => {}
  #cancelWake = () => {}
  #running = false
  /** What a look that goes on still does, for the end. */
  #looking: Promise<void> = Promise.resolve()

  constructor(view: View, deps: FeedDeps) {
    this.view = view
    this.windowMs = Math.max(WINDOW_MS, WINDOW_BUCKETS * view.bucketMs)
    this.#deps = deps
  }

  /** The last look that found something. */
  get look(): number {
    return this.#look
  }

  /** Newest cells that are not told because they are too many. */
  get leftOut(): number {
    return this.#leftOut
  }

  /** The cells that changed after look `after`, in the order of their changes. */
  since(after: number): Iterable<LiveCell> {
    if (after === this.#look - 1) return this.#latest
    return after >= this.#look ? [] : [...this.#cells.values()].filter(({ look }) => look > after)
  }

  /** Resolves after the next look that finds something, after a while without, or when `signal` aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      if (signal.aborted || !this.#running) return resolve()
      signal.addEventListener('abort', wake)
      this.#waiting.add(wake)
    })
  }

  /** Begins to look; resolves after the first. */
  async start(): Promise<void> {
    this.#running = true
    this.#armWake()
    await this.#lookOnce()
    this.#arm(LOOK_EVERY_MS)
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#cancelLook()
    this.#cancelWake()
    this.#wakeAll()
    await this.#looking
  }

  #arm(ms: number): void {
    if (!this.#running) return
    const { clock } = this.#deps
    this.#cancelLook = clock.after(ms, async () => {
      const startedMs = clock.nowMs()
      await this.#lookOnce()
      // The clock may step back.
      const tookMs = Math.abs(clock.nowMs() - startedMs)
      this.#arm(Math.max(LOOK_EVERY_MS, Math.min(REST_FACTOR * tookMs, WAKE_EVERY_MS)))
    })
  }

  #armWake(): void {
    this.#cancelWake = this.#deps.clock.after(WAKE_EVERY_MS, () => {
      this.#armWake()
      this.#wakeAll()
    })
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  #lookOnce(): Promise<void> {
    this.#looking = this.#findChanged().catch((error: unknown) => {
      // A view that answers only after a run, an index that is made anew: the next look goes on.
      if (isError(error, 'E_UNPUBLISHED') || isError(error, 'E_INDEX_DAMAGED')) return
      this.#deps.logLine(`live: ${error instanceof Error ? error.message : String(error)}`)
    })
    return this.#looking
  }

  async #findChanged(): Promise<void> {
    const { answers, clock } = this.#deps
    const { name, bucketMs } = this.view
    const fromMs = bucketStart(clock.nowMs() - this.windowMs, bucketMs)
    for (const [id, { timeMs }] of this.#cells) if (timeMs < fromMs) this.#cells.delete(id)
    const { position, viewVersion, definition } = answers.basis(name)
    const standsOn = JSON.stringify([position, viewVersion, definition])
    if (standsOn === this.#stoodOn) return
    const read = new Map<string, number>()
    const changed: KeySummary[] = []
    for (const summary of answers.summaries(name)) {
      if (summary.lastMs < fromMs) continue
      const before = this.#read.get(summary.key)
      if (before !== undefined) read.set(summary.key, before)
      if (before !== summary.messages) changed.push(summary)
    }
    this.#read = read
    const toMs = bucketStart(clock.nowMs() + AHEAD_MS, bucketMs) + bucketMs
    await this.#readCells(changed, { fromMs, toMs })
    this.#stoodOn = standsOn
    if (this.#found.length === 0) return
    this.#latest = this.#found
    this.#found = []
    this.#look += 1
    this.#wakeAll()
  }

  /** Reads the cells of keys that changed, and keeps those that are other than before under the look that goes on. */
  async #readCells(changed: readonly KeySummary[], range: Range): Promise<void> {
    const { answers, pause, write } = this.#deps
    const { name, bucketMs } = this.view
    let leftOut = 0
    for (let at = 0; at < changed.length; at += KEYS_AT_ONCE) {
      if (at > 0) await pause?.()
      const some = changed.slice(at, at + KEYS_AT_ONCE)
      const keys = some.map(({ key }) => key)
      const { cells } = answers.seriesOfAll(name, keys, range, bucketMs)
      const textOf = write(cells)
      const counts = (cells.columns[layoutOf(cells.view).messages] as NumberColumn).values
      const times = timesOf(cells)
      for (let i = 0; i < cells.length; i++) {
        const [key, timeMs, messages] = [keyAt(cells, i), times[i]!, counts[i]!]
        const id = `${timeMs} ${key}`
        if (this.#cells.get(id)?.messages === messages) continue
        if (!this.#cells.has(id) && this.#cells.size >= LIVE_CELLS_MAX) {
          leftOut += 1
          continue
        }
        const cell: LiveCell = { key, timeMs, messages, look: this.#look + 1, text: textOf(i) }
        // Those that changed last stand last.
        this.#cells.delete(id)
        this.#cells.set(id, cell)
        this.#found.push(cell)
      }
      for (const { key, messages } of some) this.#read.set(key, messages)
    }
    this.#leftOut = leftOut
  }
}
