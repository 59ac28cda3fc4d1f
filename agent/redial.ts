import { describeError } from '../schemas/errors.ts'
import { type Clock, sleep } from '../schemas/ports/clock.ts'
import type { Backoff } from './backoff.ts'

export interface RedialDeps {
  readonly clock: Clock
  readonly backoff: Backoff
  /** Aborts when no attempt is to begin any more. */
  readonly signal: AbortSignal
  logLine(line: string): void
}

/**
 * Keeps a connection up: `connectOnce` connects and resolves when the connection is gone, or throws when there is none.
 * Resolves after `signal` aborted. The same reason is said once until a connection comes about.
 */
export async function stayConnected(connectOnce: () => Promise<void>, deps: RedialDeps): Promise<void> {
  const { clock, backoff, signal, logLine } = deps
  let said = ''
  while (!signal.aborted) {
    try {
      await connectOnce()
      said = ''
    } catch (error) {
      const why = describeError(error)
      if (why !== said && !signal.aborted) logLine(`agent: ${why}; trying again`)
      said = why
    }
    await sleep(clock, backoff.nextMs(), signal)
  }
}
