import type { Clock } from '../../schemas/ports/clock.ts'
import type { Io } from '../command.ts'

export interface Progress {
  readonly done: number
  readonly total: number
}

const DRAW_EVERY_MS = 200
const WIDTH = 30

/** Shows a bar on a terminal while `work` goes on; elsewhere it shows nothing. `ask` says how far it is. */
export async function withProgress<T>(
  io: Pick<Io, 'err' | 'isTerminal'>,
  clock: Clock,
  ask: () => Promise<Progress | null>,
  work: () => Promise<T>,
): Promise<T> {
  if (!io.isTerminal) return work()
  let cancel = () => {}
  let over = false
  const arm = () => {
    cancel = clock.after(DRAW_EVERY_MS, () => {
      void ask()
        .catch(() => null)
        .then((progress) => {
          if (over) return
          if (progress !== null) io.err(`\r${progressBar(progress)}`)
          arm()
        })
    })
  }
  arm()
  try {
    return await work()
  } finally {
    over = true
    cancel()
    io.err(`\r${' '.repeat(progressBar({ done: 0, total: 1_000_000 }).length)}\r`)
  }
}

/** `[##########--------------------] 3 of 9 dates` */
export function progressBar({ done, total }: Progress): string {
  const filled = total === 0 ? WIDTH : Math.floor((WIDTH * done) / total)
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${done} of ${total} dates`
}
