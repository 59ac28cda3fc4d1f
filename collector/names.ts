import { isName } from '../schemas/line.ts'

/** Distinct names held; when there are more, all are forgotten and learnt anew. */
const NAMES_MAX = 65_536
const SLOTS = 4 * NAMES_MAX
const BYTES_MAX = 8 << 20

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Names of services and hosts by their bytes in UTF-8: the same string each time, made and checked once. A table of open
 * addressing with linear probing; the caller, who reads the bytes anyway, brings their FNV-1a hash.
 */
export class Names {
  /** Per slot the place of a name, plus one; 0 where there is none. */
  readonly #slots = new Int32Array(SLOTS)
  readonly #hashes = new Int32Array(NAMES_MAX)
  /** Where each name's bytes begin; one more than there are names. */
  readonly #starts = new Int32Array(NAMES_MAX + 1)
  readonly #bytes = new Uint8Array(BYTES_MAX)
  readonly #strings: string[] = []

  /** The name in `bytes` from `from` to `to`; null when it is none (`isName`), or not UTF-8. */
  find(bytes: Uint8Array, from: number, to: number, hash: number): string | null {
    let slot = hash & (SLOTS - 1)
    for (let place = this.#slots[slot]!; place !== 0; place = this.#slots[slot]!) {
      if (this.#hashes[place - 1] === hash && this.#isAt(place - 1, bytes, from, to))
        return this.#strings[place - 1]!
      slot = (slot + 1) & (SLOTS - 1)
    }
    return this.#learn(bytes, from, to, hash)
  }

  #isAt(place: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[place]!
    if (this.#starts[place + 1]! - start !== to - from) return false
    for (let i = from, at = start; i < to; i++, at++) if (bytes[i] !== this.#bytes[at]) return false
    return true
  }

  #learn(bytes: Uint8Array, from: number, to: number, hash: number): string | null {
    let name: string
    try {
      name = utf8.decode(bytes.subarray(from, to))
    } catch {
      return null
    }
    if (!isName(name)) return null
    const count = this.#strings.length
    if (count === NAMES_MAX || this.#starts[count]! + to - from > BYTES_MAX) this.#forget()
    const place = this.#strings.length
    const start = this.#starts[place]!
    this.#bytes.set(bytes.subarray(from, to), start)
    this.#starts[place + 1] = start + to - from
    this.#hashes[place] = hash
    this.#strings.push(name)
    let slot = hash & (SLOTS - 1)
    while (this.#slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1)
    this.#slots[slot] = place + 1
    return name
  }

  #forget(): void {
    this.#slots.fill(0)
    this.#strings.length = 0
  }
}
