import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { ObjectStore, StoredObject } from './port.ts'

export type StoreCall = 'get' | 'put' | 'putIfAbsent' | 'list' | 'delete'

/** An object store in memory, with the semantics of a real one and, where a test asks for them, its failures. */
export class MemoryStore implements ObjectStore {
  readonly #clock: Clock
  readonly #objects = new Map<string, { bytes: Uint8Array; modifiedMs: number }>()
  /** The keys, sorted by code unit. */
  readonly #keys: string[] = []
  /**
   * Asked at each call: `refuse` fails without effect (`E_STORE`), `before` and `after` leave it unclear
   * (`E_STORE_AMBIGUOUS`) whether the put, which had no effect or had it, was stored.
   */
  fault: ((call: StoreCall, key: string) => 'refuse' | 'before' | 'after' | null) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Every key, for a test to look at. */
  keys(prefix = ''): string[] {
    return this.#keys.filter((key) => key.startsWith(prefix))
  }

  /** Changes an object's bytes behind everybody's back; null removes it. */
  damage(key: string, change: (bytes: Uint8Array) => Uint8Array | null): void {
    const bytes = change(this.#objects.get(key)!.bytes.slice())
    if (bytes === null) this.#drop(key)
    else this.#objects.get(key)!.bytes = bytes
  }

  async get(key: string): Promise<Uint8Array | null> {
    return this.#faulty('get', key, () => this.#objects.get(key)?.bytes ?? null)
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#faulty('put', key, () => this.#set(key, bytes))
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    return this.#faulty('putIfAbsent', key, () => {
      if (this.#objects.has(key)) return false
      this.#set(key, bytes)
      return true
    })
  }

  async list(prefix: string, after = ''): Promise<StoredObject[]> {
    return this.#faulty('list', prefix, () => {
      const found: StoredObject[] = []
      const from = after > prefix ? after : prefix
      for (let i = this.#placeOf(from); i < this.#keys.length; i++) {
        const key = this.#keys[i]!
        if (!key.startsWith(prefix)) {
          if (key > prefix) break
          continue
        }
        if (key <= after) continue
        const { bytes, modifiedMs } = this.#objects.get(key)!
        found.push({ key, size: bytes.length, modifiedMs })
      }
      return found
    })
  }

  async delete(key: string): Promise<void> {
    return this.#faulty('delete', key, () => this.#drop(key))
  }

  #faulty<T>(call: StoreCall, key: string, effect: () => T): T {
    const fault = this.fault?.(call, key) ?? null
    if (fault === 'refuse') throw new TidemarkError('E_STORE', `${call} ${key}: the store refuses`)
    if (fault === 'before') throw new TidemarkError('E_STORE_AMBIGUOUS', `${call} ${key}: no answer`)
    const result = effect()
    if (fault === 'after') throw new TidemarkError('E_STORE_AMBIGUOUS', `${call} ${key}: no answer`)
    return result
  }

  #set(key: string, bytes: Uint8Array): void {
    if (!this.#objects.has(key)) this.#keys.splice(this.#placeOf(key), 0, key)
    this.#objects.set(key, { bytes: bytes.slice(), modifiedMs: this.#clock.nowMs() })
  }

  #drop(key: string): void {
    if (this.#objects.delete(key)) this.#keys.splice(this.#placeOf(key), 1)
  }

  /** Where `key` stands or would stand. */
  #placeOf(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#keys[middle]! < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
