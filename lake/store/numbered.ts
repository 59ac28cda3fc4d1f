import type { ObjectStore } from './port.ts'

/**
 * The last of the numbered objects that stand behind `number` without a hole, null where none does. A list may lag behind, so each is
 * asked for by name.
 */
export async function lastBehind(
  store: ObjectStore,
  keyOf: (number: number) => string,
  number: number,
): Promise<{ readonly number: number; readonly bytes: Uint8Array } | null> {
  let last: { number: number; bytes: Uint8Array } | null = null
  for (let next = number + 1; ; next++) {
    const bytes = await store.get(keyOf(next))
    if (bytes === null) return last
    last = { number: next, bytes }
  }
}
