import { isName } from './line.ts'

/** What `find` says of bytes that are no name, and of a new name when there are as many as may be. */
export const NO_NAME = -1
export const NAMES_FULL = -2

const HASH_START = 0x811c9dc5 | 0
const HASH_PRIME = 0x01000193
const FIRST_SLOTS = 1_024
const FIRST_BYTES = 1 << 14

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Names of services, hosts and agents by their bytes in UTF-8: each gets a small whole number, its string is made and checked
 * once. A table of open addressing with linear probing; hashed and compared four bytes at a time, so whoever calls must be able
 * to read three bytes behind a name.
 */
export class Names {
  readonly #max: number
  /** Per slot an id plus one; 0 where there is none. */
  #slots = new Int32Array(FIRST_SLOTS)
  #hashes = new Int32Array(FIRST_SLOTS / 4)
  /** Where each name begins among the words, and how many bytes it has. */
  #starts = new Int32Array(FIRST_SLOTS / 4)
  #lengths = new Int32Array(FIRST_SLOTS / 4)
  /** When each was seen last, in the unit of `now`. */
  #seen = new Int32Array(FIRST_SLOTS / 4)
  /** The names, each filled up with zeros to a multiple of four. */
  #words = new Int32Array(FIRST_BYTES / 4)
  #wordsUsed = 0
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
    this.#seen[id] = this.now
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
      if (this.#hashes[id] === hash && this.#lengths[id] === to - from) {
        const words = this.#words
        let word = this.#starts[id]!
        let at = from
        while (at <= to - 4 && view.getInt32(at, true) === words[word]) {
          at += 4
          word += 1
        }
        if (at === to || (at > to - 4 && lastWord(view, at, to) === words[word])) {
          this.#seen[id] = this.now
          return id
        }
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
    const words = (bytes.length + 3) >> 2
    this.#grow(id, words)
    const start = this.#wordsUsed
    const own = new Uint8Array(this.#words.buffer, start * 4, words * 4)
    own.fill(0)
    own.set(bytes)
    this.#wordsUsed += words
    this.#starts[id] = start
    this.#lengths[id] = bytes.length
    this.#hashes[id] = hash
    this.#seen[id] = this.now
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
    while (this.#wordsUsed + words > this.#words.length) this.#words = doubled(this.#words)
    if (id < this.#hashes.length) return
    this.#hashes = doubled(this.#hashes)
    this.#starts = doubled(this.#starts)
    this.#lengths = doubled(this.#lengths)
    this.#seen = doubled(this.#seen)
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let other = 0; other < id; other++) this.#enter(other)
  }

  /** Forgets the names not seen since `before`; whether there were any. All ids are others afterwards. */
  forget(before: number): boolean {
    const kept = this.#strings.flatMap((name, id) => {
      const bytes = new Uint8Array(this.#words.buffer, this.#starts[id]! * 4, this.#lengths[id]).slice()
      return this.#seen[id]! < before ? [] : [{ name, bytes, hash: this.#hashes[id]!, seen: this.#seen[id]! }]
    })
    if (kept.length === this.#strings.length) return false
    this.#slots.fill(0)
    this.#strings = []
    this.#wordsUsed = 0
    for (const { name, bytes, hash, seen } of kept) this.#seen[this.#add(name, bytes, hash)] = seen
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

function doubled(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const more = new Int32Array(values.length * 2)
  more.set(values)
  return more
}
