import { isError, TidemarkError } from '../../schemas/errors.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { ObjectStore } from './port.ts'

/** Puts of one object. The waits between them, doubling from the first, sum to about 16 s. */
const PUTS_MAX = 10
const WAIT_MS = 50
const WAIT_MS_MAX = 3_200

/**
 * Puts `bytes`, which no other writer has, until it is clear whether they are the object `key`, and returns that. Throws the
 * store's refusal, or `E_STORE_AMBIGUOUS` when it stays unclear.
 */
export async function putUntilClear(
  store: ObjectStore,
  clock: Clock,
  key: string,
  bytes: Uint8Array,
): Promise<boolean> {
  let unclear = false
  for (let puts = 1; ; puts++) {
    try {
      if (await store.putIfAbsent(key, bytes)) return true
      return unclear && sameBytes(await store.get(key), bytes)
    } catch (error) {
      if (isError(error, 'E_STORE') && !unclear) throw error
      unclear = true
      if (puts === PUTS_MAX) {
        const message = `it is not known whether ${key} was stored`
        throw new TidemarkError('E_STORE_AMBIGUOUS', message, { cause: error })
      }
    }
    if (puts > 1) await sleep(clock, Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** puts))
  }
}

/** The commit's own id is among the bytes, so no other commit has the same. */
function sameBytes(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && a.length === b.length && a.every((byte, i) => byte === b[i])
}
