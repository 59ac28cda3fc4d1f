import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'

/** As `promise`, but fails with `E_LOG` once it took longer than `ms`; what it does then is ignored. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () =>
      reject(new TidemarkError('E_LOG', `no answer within ${ms / 1_000} s`)),
    )
    promise.then(resolve, reject).finally(cancel)
  })
}
