/** Wall time and timers, passed in so that whole days can be simulated. */
export interface Clock {
  /** Milliseconds since 1970. May step back. */
  nowMs(): number
  /** Calls `fn` once after `ms`; the result cancels it. Never calls after cancel. */
  after(ms: number, fn: () => void): () => void
}

/** Randomness, passed in so that a run can be repeated from its seed. */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number
  /** `bytes` random bytes in hexadecimal. */
  hex(bytes: number): string
}

/** Lets what else waits in this thread go first. */
export type Pause = () => Promise<void>

/** Resolves after `ms`, or early when `signal` aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const cancel = clock.after(ms, done)
    function done() {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
  })
}
