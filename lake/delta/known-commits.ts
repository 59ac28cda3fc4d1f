import { crc32 } from 'node:zlib'
import type { StoredObject } from '../store/port.ts'

/** Commits remembered, the newest: more than lie behind a checkpoint when upkeep is done in time. */
const KNOWN_MAX = 100

interface Known {
  readonly size: number
  readonly sum: number
  /** The last time of change at which it was as it is known; null before the first list. */
  modifiedMs: number | null
}

/** What this process read or wrote as commits of a table, to tell when one says something else by now. A commit never changes. */
export class KnownCommits {
  readonly #known = new Map<number, Known>()

  /** Notes what stands at `version`; what was first seen there counts. */
  note(version: number, bytes: Uint8Array): void {
    if (this.#known.has(version)) return
    this.#known.set(version, { size: bytes.length, sum: crc32(bytes), modifiedMs: null })
    if (this.#known.size > KNOWN_MAX) this.#known.delete(Math.min(...this.#known.keys()))
  }

  /** Another table stands in the place of that one, of which `other` knows. */
  become(other: KnownCommits): void {
    this.#known.clear()
    for (const [version, known] of other.#known) this.#known.set(version, known)
  }

  /** Whether `object`, as it is listed, is another than that of `version` was. `get` reads it; asked where only that can tell. */
  async isAltered(
    version: number,
    { size, modifiedMs }: StoredObject,
    get: () => Promise<Uint8Array | null>,
  ): Promise<boolean> {
    const known = this.#known.get(version)
    if (known === undefined) return false
    if (size !== known.size) return true
    if (known.modifiedMs !== null && known.modifiedMs !== modifiedMs) {
      const bytes = await get()
      if (bytes === null || crc32(bytes) !== known.sum) return true
    }
    known.modifiedMs = modifiedMs
    return false
  }
}
