import type { Clock } from '../../schemas/ports/clock.ts'
import type { ObjectStore, StoredObject } from './port.ts'

/** One call of a store, before or after its effect. */
export interface StoreCall {
  readonly what: 'get' | 'put' | 'putIfAbsent' | 'list' | 'delete'
  /** The key, or the prefix of a list. */
  readonly key: string
  readonly when: 'before' | 'after'
}

interface Held {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

/** An object store in memory, for tests and simulations; as strict as the port, and it fails on demand. */
export class MemoryStore implements ObjectStore {
  /** What is stored, to look at, to damage or to remove. */
  readonly objects = new ObjectMap()
  /**
   * Called before and after each effect. What it throws the caller gets: before, the effect has not happened, after, it
   * has. It may also wait, or act itself, so that two calls overlap as a test wants.
   */
  faults: ((call: StoreCall) => void | Promise<void>) | null = null
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async get(key: string): Promise<Uint8Array | null> {
    return this.#call('get', key, () => this.objects.get(key)?.bytes.slice() ?? null)
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice()
    await this.#call('put', key, () => this.#set(key, copy))
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const copy = bytes.slice()
    return this.#call('putIfAbsent', key, () => {
      if (this.objects.has(key)) return false
      this.#set(key, copy)
      return true
    })
  }

  async list(prefix: string, after?: string): Promise<StoredObject[]> {
    return this.#call('list', prefix, () =>
      this.objects.keysFrom(prefix, after).map((key) => {
        const { bytes, modifiedMs } = this.objects.get(key)!
        return { key, size: bytes.length, modifiedMs }
      }),
    )
  }

  async delete(key: string): Promise<void> {
    await this.#call('delete', key, () => this.objects.delete(key))
  }

  #set(key: string, bytes: Uint8Array): void {
    this.objects.set(key, { bytes, modifiedMs: this.#clock.nowMs() })
  }

  async #call<T>(what: StoreCall['what'], key: string, effect: () => T): Promise<T> {
    if (this.faults === null) return effect()
    await this.faults({ what, key, when: 'before' })
    const result = effect()
    await this.faults?.({ what, key, when: 'after' })
    return result
  }
}

/** A map that also keeps its keys sorted by folder, so that listing a log costs what is new in it. */
class ObjectMap extends Map<string, Held> {
  readonly #folders = new Map<string, string[]>()

  override set(key: string, held: Held): this {
    if (!this.has(key)) {
      const folder = folderOf(key)
      const keys = this.#folders.get(folder) ?? []
      keys.splice(firstAfter(keys, key), 0, key)
      this.#folders.set(folder, keys)
    }
    return super.set(key, held)
  }

  override delete(key: string): boolean {
    if (!this.has(key)) return false
    const keys = this.#folders.get(folderOf(key))!
    keys.splice(firstAfter(keys, key) - 1, 1)
    if (keys.length === 0) this.#folders.delete(folderOf(key))
    return super.delete(key)
  }

  override clear(): void {
    this.#folders.clear()
    super.clear()
  }

  /** The keys that begin with `prefix` and sort after `after`, sorted. */
  keysFrom(prefix: string, after = ''): string[] {
    const found: string[] = []
    for (const [folder, keys] of this.#folders) {
      if (!folder.startsWith(prefix) && !prefix.startsWith(folder)) continue
      for (let i = firstAfter(keys, after); i < keys.length; i++) {
        if (keys[i]!.startsWith(prefix)) found.push(keys[i]!)
      }
    }
    return found.sort()
  }
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

/** Index of the first of the sorted `keys` that is greater than `key`. */
function firstAfter(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! <= key) low = middle + 1
    else high = middle
  }
  return low
}
