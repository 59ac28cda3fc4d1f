import type { Clock, Pause } from '../../schemas/ports/clock.ts'

/** Longest delay of one timer of Node; a longer wait goes in steps of it. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** The clock of this machine. */
export function nodeClock(): Clock {
  return {
    nowMs: () => Date.now(),
    after(ms, fn) {
      let timer: NodeJS.Timeout
      const arm = (leftMs: number) => {
        timer = setTimeout(
          () => (leftMs > TIMEOUT_MS_MAX ? arm(leftMs - TIMEOUT_MS_MAX) : fn()),
          Math.min(leftMs, TIMEOUT_MS_MAX),
        )
      }
      arm(ms)
      return () => clearTimeout(timer)
    },
  }
}

/** Whatever waits of sockets, timers and threads goes first. */
export const pause: Pause = () => new Promise((resolve) => setImmediate(resolve))
