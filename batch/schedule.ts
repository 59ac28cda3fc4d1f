import { Cron } from 'croner'
import type { Clock } from '../schemas/ports/clock.ts'

/** A schedule that is going on. */
export interface Schedule {
  /** When it comes next, milliseconds since 1970; null when never. */
  readonly nextMs: number | null
  cancel(): void
}

/** Calls `due` whenever the cron expression says so (UTC; a sixth field in front is seconds); null: never. */
export function startSchedule(expression: string | null, clock: Clock, due: () => void): Schedule {
  let nextMs: number | null = null
  let cancelNext = () => {}
  const cron = expression === null ? null : new Cron(expression, { paused: true, timezone: 'UTC' })
  function arm() {
    const next = cron?.nextRun(new Date(clock.nowMs())) ?? null
    nextMs = next?.getTime() ?? null
    if (nextMs === null) return
    cancelNext = clock.after(nextMs - clock.nowMs(), () => {
      arm()
      due()
    })
  }
  arm()
  return {
    get nextMs() {
      return nextMs
    },
    cancel: () => cancelNext(),
  }
}
