import type { ObjectStore, StoredObject } from '../../lake/store/port.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { type Clock, type Random, sleep } from '../../schemas/ports/clock.ts'

/** What goes wrong with an object store: rates from 0 to 1 of calls, and longest times of calls in milliseconds. */
export interface StoreTrouble {
  /** Refused, without effect. */
  errors: number
  /** Puts and deletes answered by an error that does not say whether they had their effect: they had, had not, or will. */
  unclear: number
  /** Longest time of a call. */
  slowMs: number
  /** Longest time of a list, on top. */
  slowListMs: number
  /** So far a list may lag behind at most: of what was put or deleted meanwhile it shows some as it was before. */
  staleListMs: number
}

export const NO_TROUBLE: Readonly<StoreTrouble> = {
  errors: 0,
  unclear: 0,
  slowMs: 0,
  slowListMs: 0,
  staleListMs: 0,
}
/** How often a list shows a change that it may not show. */
const SHOWN = 0.3
/** A put whose answer was lost has its effect within this time, if at all. */
const LATE_MS_MAX = 20_000

/** An object store behind a network: what `inner` does, slowly, wrongly answered or not at all, within what the port allows. */
export class SimStore implements ObjectStore {
  trouble: StoreTrouble = { ...NO_TROUBLE }
  readonly #inner: ObjectStore
  readonly #clock: Clock
  readonly #random: Random
  /** What was changed while lists lag behind, oldest first, and what stood there before. */
  #changes: { readonly key: string; readonly before: StoredObject | null; readonly atMs: number }[] = []

  constructor(inner: ObjectStore, deps: { clock: Clock; random: Random }) {
    this.#inner = inner
    this.#clock = deps.clock
    this.#random = deps.random
  }

  get(key: string): Promise<Uint8Array | null> {
    return this.#read(key, 0, () => this.#inner.get(key))
  }

  list(prefix: string, after?: string): Promise<StoredObject[]> {
    return this.#read(prefix, this.trouble.slowListMs, async () =>
      this.#asBefore(await this.#inner.list(prefix, after), prefix, after),
    )
  }

  /** A list that lags behind. */
  #asBefore(listed: StoredObject[], prefix: string, after = ''): StoredObject[] {
    const { staleListMs } = this.trouble
    if (staleListMs === 0) return listed
    const fromMs = this.#clock.nowMs() - staleListMs
    this.#changes = this.#changes.filter(({ atMs }) => atMs >= fromMs)
    const objects = new Map(listed.map((object) => [object.key, object]))
    const decided = new Set<string>()
    for (const { key, before } of this.#changes) {
      if (decided.has(key) || !key.startsWith(prefix) || key <= after) continue
      decided.add(key)
      if (this.#random.float() < SHOWN) continue
      if (before === null) objects.delete(key)
      else objects.set(key, before)
    }
    return [...objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async #change<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.trouble.staleListMs === 0) return work()
    const before = (await this.#inner.list(key)).find((object) => object.key === key) ?? null
    const done = await work()
    this.#changes.push({ key, before, atMs: this.#clock.nowMs() })
    return done
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice()
    return this.#write(key, () => this.#change(key, () => this.#inner.put(key, copy)))
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const copy = bytes.slice()
    return this.#write(key, () => this.#change(key, () => this.#inner.putIfAbsent(key, copy)))
  }

  delete(key: string): Promise<void> {
    return this.#write(key, () => this.#change(key, () => this.#inner.delete(key)))
  }

  async #read<T>(key: string, moreMs: number, work: () => Promise<T>): Promise<T> {
    await this.#wait(this.trouble.slowMs + moreMs)
    this.#refuse(key)
    return work()
  }

  async #write<T>(key: string, work: () => Promise<T>): Promise<T> {
    await this.#wait(this.trouble.slowMs)
    this.#refuse(key)
    if (this.#random.float() >= this.trouble.unclear) {
      const done = await work()
      await this.#wait(this.trouble.slowMs)
      return done
    }
    const roll = this.#random.float()
    if (roll < 0.4) await work()
    else if (roll < 0.7) this.#clock.after(this.#random.float() * LATE_MS_MAX, () => void work())
    throw new TidemarkError('E_STORE_AMBIGUOUS', `${key}: the answer was lost`)
  }

  #refuse(key: string): void {
    if (this.#random.float() < this.trouble.errors)
      throw new TidemarkError('E_STORE', `${key}: refused, try again`)
  }

  async #wait(msMax: number): Promise<void> {
    if (msMax > 0) await sleep(this.#clock, this.#random.float() * msMax)
  }
}
