import type { Clock } from '../../../schemas/ports/clock.ts'
import type { Io } from '../../command.ts'
import { bar, CLEAR } from '../progress.ts'

/** What a bar counts: how much there is in all, and how a second's worth of it is said. */
interface Counted {
  readonly all: number
  rate(perSecond: number): string
}

const BYTES = (all: number): Counted => ({ all, rate: (n) => `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB/s` })
const ROWS = (all: number): Counted => ({
  all,
  rate: (n) => `${Math.round(n).toLocaleString('en')} rows/s`,
})

/** How far an import is, on a terminal: a bar for reading and one for writing, each with its rate and the time that is left. */
export class ImportBar {
  readonly #io: Pick<Io, 'err' | 'isTerminal'>
  readonly #clock: Pick<Clock, 'nowMs'>
  #step = ''
  #sinceMs = 0

  constructor(io: Pick<Io, 'err' | 'isTerminal'>, clock: Pick<Clock, 'nowMs'>) {
    this.#io = io
    this.#clock = clock
  }

  reads(share: number, bytes: number): void {
    this.#show('reads', share, BYTES(bytes))
  }

  writes(share: number, rows: number): void {
    this.#show('writes', share, ROWS(rows))
  }

  #show(step: string, share: number, counted: Counted): void {
    if (!this.#io.isTerminal) return
    const nowMs = this.#clock.nowMs()
    if (step !== this.#step) this.#sinceMs = nowMs
    this.#step = step
    this.#io.err(`${CLEAR}${barText(step, share, nowMs - this.#sinceMs, counted)}`)
  }

  clear(): void {
    if (this.#io.isTerminal && this.#step !== '') this.#io.err(CLEAR)
    this.#step = ''
  }
}

/** `[######------------------------] reads, 20 %, 85 MB/s, 12 s left`; without rate and time before anything is known of them. */
export function barText(step: string, share: number, tookMs: number, counted: Counted): string {
  const done = `${bar(share)} ${step}, ${Math.floor(100 * share)} %`
  if (share <= 0 || tookMs <= 0) return done
  const rate = counted.rate((counted.all * share * 1_000) / tookMs)
  return `${done}, ${rate}, ${leftText((tookMs * (1 - share)) / share)} left`
}

function leftText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
