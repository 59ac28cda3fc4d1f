import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'

/** Longest wait for anything that the machine is asked. */
export const READ_MS_MAX = 2_000

/**
 * A question to the machine with a time limit. One that was given up is not asked again until it is answered after all: what
 * hangs holds one of Node's few threads, which the spool needs too.
 */
export class Limited<T> {
  readonly #clock: Clock
  readonly #ask: () => Promise<T>
  /** The answer that is waited for, or was in vain; null when the question is not out. */
  #out: Promise<T> | null = null

  constructor(clock: Clock, ask: () => Promise<T>) {
    this.#clock = clock
    this.#ask = ask
  }

  /**
   * Returns the answer; while the question is out, that of the call that asked. Throws `E_SAMPLE` when there is none in time, and what
   * the question throws.
   */
  answer(): Promise<T> {
    this.#out ??= this.#askOnce()
    return this.#out
  }

  #askOnce(): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cancel = this.#clock.after(READ_MS_MAX, () => {
        reject(new TidemarkError('E_SAMPLE', `no answer within ${READ_MS_MAX / 1_000} s`))
      })
      const answered = () => {
        cancel()
        this.#out = null
      }
      this.#ask().finally(answered).then(resolve, reject)
    })
  }
}
