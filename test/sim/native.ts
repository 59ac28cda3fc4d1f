/**
 * Work that takes real time, on threads that no simulated clock moves: one piece at a time, so that their order is always
 * the same, and simulated time stands still meanwhile.
 */
let last: Promise<unknown> = Promise.resolve()
let waiting = 0

export function natively<T>(work: () => Promise<T>): Promise<T> {
  waiting += 1
  const done = last.then(work).finally(() => {
    waiting -= 1
  })
  last = done.catch(() => {})
  return done
}

/** Resolves when no such work is under way; at once, and not a turn later, when there is none. */
export function nativeWork(): Promise<unknown> | null {
  return waiting === 0 ? null : last
}
