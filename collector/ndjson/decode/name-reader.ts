import { HASH_START, hashEnd, hashWord, type NameTable } from '../../../log/name-table.ts'
import type { LineBuffer } from './line-buffer.ts'

const QUOTE = 0x22

/** Reads names in quotes, and looks up their numbers without making strings. */
export class NameReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  /** The number of the name read last. */
  id = 0

  constructor({ bytes, view }: LineBuffer) {
    this.#bytes = bytes
    this.#view = view
    this.#end = bytes.length
  }

  /** Reads the name whose quote is at `at`. Returns where it ends, −1 when it has escapes, is no name or is one too many. */
  read(at: number, names: NameTable): number {
    const view = this.#view
    if (this.#bytes[at] !== QUOTE) return -1
    const from = at + 1
    const last = this.#end - 4
    let hash = HASH_START
    // Four bytes at a time, up to the word with the quote. No name that is known has control characters.
    for (let i = from; i <= last; i += 4) {
      const word = view.getInt32(i, true)
      const ends = endOfName(word)
      if (ends === 0) {
        hash = hashWord(hash, word)
        continue
      }
      // The lowest bit that is set is the highest of the byte that ends the name: so many bits of the word belong to it.
      const bits = 24 - Math.clz32(ends & -ends)
      const to = i + (bits >> 3)
      if (this.#bytes[to] !== QUOTE) return -1
      if (bits > 0) hash = hashWord(hash, word & ((1 << bits) - 1))
      this.id = names.find(view, from, to, hashEnd(hash))
      return this.id < 0 ? -1 : to + 1
    }
    return -1
  }
}

/**
 * Returns the highest bit of the first byte of `word` that is a quote or a backslash, maybe with bits of later bytes; 0
 * when there is none. Mycroft's test for a zero byte, on what differs.
 */
function endOfName(word: number): number {
  const quotes = word ^ 0x22222222
  const slashes = word ^ 0x5c5c5c5c
  return (((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes)) & 0x80808080
}
