import { grown } from '../schemas/grown.ts'
import { isName } from '../schemas/name.ts'

/** What `find` says of bytes that are no name, and of a new name when there are as many as may be. */
export const NO_NAME = -1
export const NAMES_FULL = -2

const HASH_START = 0x811c9dc5 | 0
const HASH_PRIME = 0x01000193
const FIRST_SLOTS = 1_024

/** What is kept about a name: where it begins among the words; how many bytes it has; when it was seen last, in the unit of `now`. */
const ABOUT = 3
const [START, LENGTH, SEEN] = [0, 1, 2] as const
const FIRST_BYTES = 1 << 14

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Names of services, hosts and agents by their bytes in UTF-8: each gets a small whole number, its string is made and checked
 * once. A table of open addressing with linear probing; hashed and compared four bytes at a time, so the caller must be able
 * to read three bytes behind a name.
 */
export class NameTable {
  readonly #max: number
  /** Per slot an id plus one; 0 where there is none. */
  #slots = new Int32Array(FIRST_SLOTS)
  #hashes = new Int32Array(FIRST_SLOTS / 4)
  /** `ABOUT` numbers per name, side by side. */
  #about = new Int32Array((FIRST_SLOTS / 4) * ABOUT)
  /** The names, each filled up with zeros to a multiple of eight. */
  #words = new Int32Array(FIRST_BYTES / 4)
  #wordsUsed = 0
  /** The same words in pairs: what is compared as doubles is compared eight bytes at a time. */
  #pairs = new Float64Array(this.#words.buffer)
  #strings: string[] = []
  /** What `touch` notes: any unit of time that the owner likes, a whole number. */
  now = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#strings.length
  }

  text(id: number): string {
    return this.#strings[id]!
  }

  /** A name that was found before is seen again. */
  touch(id: number): void {
    this.#about[id * ABOUT + SEEN] = this.now
  }

  /** Whether the bytes of a name stand at `from`. */
  #standsAt(view: DataView, from: number, id: number): boolean {
    const about = id * ABOUT
    const to = from + this.#about[about + LENGTH]!
    const pairs = this.#pairs
    let pair = this.#about[about + START]! >> 1
    let at = from
    for (; at <= to - 8; at += 8) if (view.getFloat64(at, true) !== pairs[pair++]) return false
    let word = pair << 1
    if (at <= to - 4) {
      if (view.getInt32(at, true) !== this.#words[word++]) return false
      at += 4
    }
    return at === to || lastWord(view, at, to) === this.#words[word]
  }

  /** The id of a name; `NO_NAME` or `NAMES_FULL` when it has none. */
  idOf(name: string): number {
    const bytes = new Uint8Array(new TextEncoder().encode(`${name}\0\0\0\0`))
    const to = bytes.length - 4
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return this.find(view, 0, to, hashName(view, 0, to))
  }

  /** The id of the name whose bytes lie in `view` from `from` to `to`, `hash` being their `hashName`; it is seen now. */
  find(view: DataView, from: number, to: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    for (let id = slots[slot]! - 1; id >= 0; id = slots[slot]! - 1) {
      const isAsLong = this.#about[id * ABOUT + LENGTH] === to - from
      if (this.#hashes[id] === hash && isAsLong && this.#standsAt(view, from, id)) {
        this.touch(id)
        return id
      }
      slot = (slot + 1) & mask
    }
    return this.#learn(view, from, to, hash)
  }

  #learn(view: DataView, from: number, to: number, hash: number): number {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + from, to - from)
    let name: string
    try {
      name = utf8.decode(bytes)
    } catch {
      return NO_NAME
    }
    if (!isName(name)) return NO_NAME
    if (this.#strings.length >= this.#max) return NAMES_FULL
    return this.#add(name, bytes, hash)
  }

  #add(name: string, bytes: Uint8Array, hash: number): number {
    const id = this.#strings.length
    const words = ((bytes.length + 7) >> 3) * 2
    this.#grow(id, words)
    const start = this.#wordsUsed
    const own = new Uint8Array(this.#words.buffer, start * 4, words * 4)
    own.fill(0)
    own.set(bytes)
    this.#wordsUsed += words
    this.#about.set([start, bytes.length, this.now], id * ABOUT)
    this.#hashes[id] = hash
    this.#strings.push(name)
    this.#enter(id)
    return id
  }

  #enter(id: number): void {
    const mask = this.#slots.length - 1
    let slot = this.#hashes[id]! & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = id + 1
  }

  /** Makes room for one more name of so many words. */
  #grow(id: number, words: number): void {
    while (this.#wordsUsed + words > this.#words.length) {
      this.#words = grown(this.#words)
      this.#pairs = new Float64Array(this.#words.buffer)
    }
    if (id < this.#hashes.length) return
    this.#hashes = grown(this.#hashes)
    this.#about = grown(this.#about)
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let other = 0; other < id; other++) this.#enter(other)
  }

  /** Forgets the names not seen since `before`; whether there were any. All ids are others afterwards. */
  forget(before: number): boolean {
    const kept = this.#strings.flatMap((name, id) => {
      const about = id * ABOUT
      const seen = this.#about[about + SEEN]!
      const start = this.#about[about + START]! * 4
      const bytes = new Uint8Array(this.#words.buffer, start, this.#about[about + LENGTH]!).slice()
      return seen < before ? [] : [{ name, bytes, hash: this.#hashes[id]!, seen }]
    })
    if (kept.length === this.#strings.length) return false
    this.#slots.fill(0)
    this.#strings = []
    this.#wordsUsed = 0
    for (const { name, bytes, hash, seen } of kept)
      this.#about[this.#add(name, bytes, hash) * ABOUT + SEEN] = seen
    return true
  }
}

/** The hash of the bytes of `view` from `from` to `to`; what lies three bytes behind is read and does not count. */
export function hashName(view: DataView, from: number, to: number): number {
  let hash = HASH_START
  let at = from
  for (; at + 4 <= to; at += 4) hash = hashWord(hash, view.getInt32(at, true))
  return hashEnd(at === to ? hash : hashWord(hash, lastWord(view, at, to)))
}

/** One step of `hashName`: FNV-1a over words of four bytes, little-endian, the last filled up with zeros. */
export function hashWord(hash: number, word: number): number {
  return Math.imul(hash ^ word, HASH_PRIME)
}

/** Its end: without this the high bytes of each word would not reach the low bits. The finalizer of MurmurHash3. */
export function hashEnd(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}

export { HASH_START }

/** The one to three bytes from `at` to `to`, as a word. */
function lastWord(view: DataView, at: number, to: number): number {
  return view.getInt32(at, true) & ((1 << ((to - at) * 8)) - 1)
}
