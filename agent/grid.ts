import type { Clock } from '../schemas/ports/clock.ts'

/**
 * Calls `fn` on every multiple of `intervalMs` of the clock, so that hosts sample together. Returns what stops it. While
 * one call is going on, multiples pass unused.
 */
export function everyMultiple(clock: Clock, intervalMs: number, fn: () => Promise<void>): () => void {
  let dueMs = Number.NEGATIVE_INFINITY
  let busy = false
  let cancel = () => {}
  arm()
  return () => cancel()

  function arm() {
    const nowMs = clock.nowMs()
    let nextMs = (Math.floor(nowMs / intervalMs) + 1) * intervalMs
    // A timer may fire a little early; its multiple is done all the same.
    if (nextMs === dueMs) nextMs += intervalMs
    dueMs = nextMs
    cancel = clock.after(nextMs - nowMs, () => {
      arm()
      if (busy) return
      busy = true
      void fn().finally(() => {
        busy = false
      })
    })
  }
}
