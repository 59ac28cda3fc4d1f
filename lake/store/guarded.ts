import { TidemarkError } from '../../schemas/errors.ts'
import type { ObjectStore } from './port.ts'

/** `store`, which refuses to be changed (`E_STORE`) while `reason` gives a reason; it can be read at any time. */
export function guarded(store: ObjectStore, reason: () => string | null): ObjectStore {
  const check = (key: string) => {
    const why = reason()
    if (why !== null) throw new TidemarkError('E_STORE', `object ${JSON.stringify(key)}: ${why}`)
  }
  return {
    get: (key) => store.get(key),
    list: (prefix, after) => store.list(prefix, after),
    async put(key, bytes) {
      check(key)
      await store.put(key, bytes)
    },
    async putIfAbsent(key, bytes) {
      check(key)
      return store.putIfAbsent(key, bytes)
    },
    async delete(key) {
      check(key)
      await store.delete(key)
    },
    ...(store.has && { has: (key: string) => store.has!(key) }),
    ...(store.localCopy && { localCopy: (key, check) => store.localCopy!(key, check) }),
    ...(store.url && { url: (key: string) => store.url!(key) }),
    ...(store.path && { path: (key: string) => store.path!(key) }),
  }
}
