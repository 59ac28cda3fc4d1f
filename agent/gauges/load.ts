import { TidemarkError } from '../../schemas/errors.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'

/** Load over a shorter time of all cores together would be noise: their clocks tick every 10 ms. */
const LOAD_MS_MIN = 200

/** Time that was used since some beginning, and time that could have been. */
export interface Worked {
  readonly busyMs: number
  readonly allMs: number
}

/**
 * Measures a load in percent from one reading to the next, the first from `before`. Too short a time says nothing new and is
 * part of the next; where there is less than before, as when a core was taken away, it is measured from there.
 */
export class Load {
  #before: Worked
  #percent = Number.NaN

  constructor(before: Worked) {
    this.#before = before
  }

  /** Returns the load since the reading before; NaN while there is none yet. */
  until(now: Worked): number {
    const passedMs = now.allMs - this.#before.allMs
    if (passedMs > 0 && passedMs < LOAD_MS_MIN) return this.#percent
    const busyMs = Math.min(passedMs, Math.max(0, now.busyMs - this.#before.busyMs))
    if (passedMs > 0) this.#percent = (busyMs / passedMs) * 100
    this.#before = now
    return this.#percent
  }
}

/**
 * Returns what `read` finds, a load first; the very first time it waits until there is one. Throws `E_SAMPLE` when there is
 * none then.
 */
export async function measured<T extends readonly [load: number, ...number[]]>(
  clock: Clock,
  read: () => Promise<T>,
): Promise<T> {
  const found = await read()
  if (!Number.isNaN(found[0])) return found
  await sleep(clock, LOAD_MS_MIN)
  const again = await read()
  if (Number.isNaN(again[0])) throw new TidemarkError('E_SAMPLE', 'the counters of CPU time stand still')
  return again
}
