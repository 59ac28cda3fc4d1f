import { describeError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'

/** Work that is done again whenever something new came in. */
export interface Repeating {
  /** Asks for the work; resolves when it was done, or failed, with everything that came in before the call. */
  kick(): Promise<void>
  /** Why the last try failed; null when it did not. */
  failing(): string | null
  /** No more work; resolves when what is going on has ended. */
  close(): Promise<void>
}

/** One call of `work` at a time, and one more when it was asked for meanwhile; after a failure again in `retryMs`. */
export function repeating(
  work: () => Promise<void>,
  deps: { clock: Clock; retryMs: number; logLine(line: string): void; failed?(): void },
): Repeating {
  let running: Promise<void> | null = null
  /** Those who asked since the last call of `work` began; null: nobody. */
  let asked: PromiseWithResolvers<void> | null = null
  let closed = false
  let failing: string | null = null
  let cancelRetry = () => {}

  async function runAll(): Promise<void> {
    while (asked !== null && !closed) {
      const { resolve } = asked
      asked = null
      try {
        await work()
        failing = null
      } catch (error) {
        if (closed) break
        if (failing === null) deps.logLine(`${describeError(error)}; trying again`)
        failing = describeError(error)
        deps.failed?.()
        cancelRetry()
        cancelRetry = deps.clock.after(deps.retryMs, () => void kick())
      } finally {
        resolve()
      }
    }
    // In the same turn as the last look at `asked`: nothing can slip in between.
    running = null
  }

  function kick(): Promise<void> {
    if (closed) return Promise.resolve()
    asked ??= Promise.withResolvers()
    const { promise } = asked
    running ??= runAll()
    return promise
  }

  return {
    kick,
    failing: () => failing,
    async close() {
      closed = true
      cancelRetry()
      asked?.resolve()
      await running
    },
  }
}
