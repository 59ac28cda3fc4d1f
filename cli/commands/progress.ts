import type { Clock } from '../../schemas/ports/clock.ts'
import type { RunStage } from '../../schemas/ports/layers.ts'
import type { Io } from '../command.ts'

/** How far a run is. */
export interface Progress {
  readonly stage: RunStage
  /** Dates computed and in all; null before anything is planned. */
  readonly dates: { readonly done: number; readonly total: number } | null
}

const LOOK_EVERY_MS = 200
/** Without a terminal, least time between two lines about the same stage. */
const LINE_EVERY_MS = 2_000
const WIDTH = 30
/** Takes away what stands on a terminal's line. */
export const CLEAR = `\r${' '.repeat(WIDTH + 40)}\r`

const STAGES: { readonly [stage in RunStage]: string } = {
  tick: 'asks speed for what is newest',
  seal: 'seals the log',
  plan: 'plans',
  compute: 'computes',
  publish: 'publishes',
  record: 'is recorded',
}

/**
 * Shows how far `work` is while it goes on, as `ask` says: a bar on a terminal, elsewhere lines about `what`, one when the
 * stage changes or two seconds after the last.
 */
export async function withProgress<T>(
  io: Pick<Io, 'err' | 'isTerminal'>,
  clock: Clock,
  what: string,
  ask: () => Progress | null,
  work: () => Promise<T>,
): Promise<T> {
  let cancel = () => {}
  let shown: Progress | null = null
  let shownMs = 0
  const look = () => {
    cancel = clock.after(LOOK_EVERY_MS, look)
    const progress = ask()
    if (progress === null) return
    if (io.isTerminal) return io.err(`${CLEAR}${progressBar(progress)}`)
    const isNew = progress.stage !== shown?.stage
    const isFurther = progress.dates?.done !== shown?.dates?.done
    if (!isNew && !(isFurther && clock.nowMs() - shownMs >= LINE_EVERY_MS)) return
    io.err(`${what} ${progressLine(progress)}\n`)
    shown = progress
    shownMs = clock.nowMs()
  }
  look()
  try {
    return await work()
  } finally {
    cancel()
    if (io.isTerminal) io.err(CLEAR)
  }
}

/** `[##########--------------------] 3 of 9 dates`; before there are dates, in words. */
export function progressBar({ stage, dates }: Progress): string {
  const share = dates === null ? 0 : dates.total === 0 ? 1 : dates.done / dates.total
  const words = dates === null ? STAGES[stage] : `${dates.done} of ${dates.total} dates`
  return `${bar(share)} ${words}`
}

/** The bar of a share from 0 to 1. */
export function bar(share: number): string {
  const filled = Math.floor(WIDTH * share)
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}]`
}

/** `computes, 3 of 9 dates` */
export function progressLine({ stage, dates }: Progress): string {
  return dates === null ? STAGES[stage] : `${STAGES[stage]}, ${dates.done} of ${dates.total} dates`
}
