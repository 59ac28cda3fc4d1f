import { grown } from '../../../schemas/grown.ts'
import type { LineBuffer } from './line-buffer.ts'

/** Numbers kept of a prefix: where its pieces begin, its length in bytes, its fields, the place of the one that came after it; then its names. */
const [START, LENGTH, FIELDS, NEXT, NAMES] = [0, 1, 2, 3, 4] as const
const PIECE_BYTES = 8
/** Longer ones are read anew each time. */
const LENGTH_MAX = 512
/** Prefixes kept at once; one more, and all are learned anew. */
const COUNT_MAX = 1 << 16
const FIRST_SLOTS = 256
/** Prefixes learned without a hit before learning rests: as many as are kept, so that a fleet in turn is learned as a whole. */
const CREDIT_MAX = COUNT_MAX
/** Lines that go by while it rests: learning in vain then costs a sixteenth. */
const REST_LINES = 16 * CREDIT_MAX
/** As in FNV-1a. */
const HASH_PRIME = 0x01000193

/**
 * Beginnings of lines up to the names in front: `{"service":"web","host":"web-1"`. Senders repeat themselves: the prefix
 * that came after this one before is expected again, and is then compared eight bytes at a time, as doubles (`LineShape`
 * says why), instead of read.
 *
 * To learn a prefix costs about what a hit saves. So it takes credit, which hits give back: where senders come in any order
 * it is soon used up, and then lines go by unlearned for a while.
 */
export class Prefixes {
  readonly #view: DataView
  /** `#size` numbers of each, side by side. The first is no prefix: it matches nothing, and comes before all others. */
  #about: Int32Array<ArrayBuffer>
  readonly #size: number
  #count = 1
  /** Eight bytes each; the last one of a prefix overlaps the one before. */
  #pieces = new Float64Array(1_024)
  #piecesUsed = 0
  /** Places by their names: a table of open addressing with linear probing, never more than half full; 0 is none. */
  #slots = new Int32Array(FIRST_SLOTS)
  /** Where the prefix read last is kept. */
  #last = 0
  #credit = CREDIT_MAX
  /** Lines still to go by before it learns again. */
  #rest = 0

  /** `names` is how many names lines have. */
  constructor({ view }: LineBuffer, names: number) {
    this.#view = view
    this.#size = NAMES + names
    this.#about = new Int32Array(64 * this.#size)
  }

  /** Compares what stands at `at` with the prefix expected. Returns its length, 0 when it is another. Zeros must follow the last line. */
  guess(at: number): number {
    const about = this.#about
    const place = about[this.#last + NEXT]!
    const length = about[place + LENGTH]!
    if (length === 0) return 0
    const view = this.#view
    const pieces = this.#pieces
    const last = at + length - PIECE_BYTES
    let piece = about[place + START]!
    for (let i = at; i < last; i += PIECE_BYTES) if (view.getFloat64(i, true) !== pieces[piece++]) return 0
    if (view.getFloat64(last, true) !== pieces[piece]) return 0
    this.#last = place
    if (this.#credit < CREDIT_MAX) this.#credit += 1
    return length
  }

  /** The fields of the prefix read last, as `learn` was told. */
  get fields(): number {
    return this.#about[this.#last + FIELDS]!
  }

  /** Returns the number of name `c` of the prefix read last. */
  nameAt(c: number): number {
    return this.#about[this.#last + NAMES + c]!
  }

  /** Returns whether to `learn` the prefix of a line that was read, which no guess hit. */
  wantsToLearn(): boolean {
    if (this.#rest > 0) {
      this.#rest -= 1
      return false
    }
    if (this.#credit > 0) return true
    this.#credit = CREDIT_MAX
    this.#rest = REST_LINES
    // Nothing is expected meanwhile.
    this.#last = 0
    this.#about[NEXT] = 0
    return false
  }

  /**
   * Learns the prefix from `from` to `to` of a line that was read, with its `fields` (bits) and the numbers of its names;
   * 0 for one that does not stand in front.
   */
  learn(from: number, to: number, fields: number, names: Int32Array): void {
    const view = this.#view
    const length = to - from
    if (length < PIECE_BYTES || length > LENGTH_MAX) return
    this.#credit -= 1
    const place = this.#placeFor(length, names)
    const about = this.#about
    about[place + FIELDS] = fields
    let piece = about[place + START]!
    for (let at = from; at < to - PIECE_BYTES; at += PIECE_BYTES)
      this.#pieces[piece++] = view.getFloat64(at, true)
    this.#pieces[piece] = view.getFloat64(to - PIECE_BYTES, true)
    about[this.#last + NEXT] = place
    this.#last = place
  }

  /** Returns the place of the prefix with these names and this length. One with the same names and another length is forgotten. */
  #placeFor(length: number, names: Int32Array): number {
    let slot = this.#slotOf(names)
    const known = this.#slots[slot]!
    if (known > 0 && this.#about[known + LENGTH] === length) return known
    if (this.#count === COUNT_MAX) {
      this.clear()
      slot = this.#slotOf(names)
    }
    const place = this.#count++ * this.#size
    const pieces = Math.ceil(length / PIECE_BYTES)
    if (place + this.#size > this.#about.length) this.#about = grown(this.#about)
    if (this.#piecesUsed + pieces > this.#pieces.length) this.#pieces = grown(this.#pieces)
    this.#about[place + START] = this.#piecesUsed
    this.#about[place + LENGTH] = length
    this.#about[place + NEXT] = 0
    this.#about.set(names, place + NAMES)
    this.#piecesUsed += pieces
    this.#slots[slot] = place
    if (2 * this.#count > this.#slots.length) this.#growSlots()
    return place
  }

  /** Returns the slot of these names, or the empty one where they belong. */
  #slotOf(names: Int32Array): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let hash = 0
    for (let c = 0; c < names.length; c++) hash = Math.imul(hash ^ names[c]!, HASH_PRIME)
    let slot = (hash ^ (hash >>> 15)) & mask
    while (slots[slot] !== 0 && !this.#hasNames(slots[slot]!, names)) slot = (slot + 1) & mask
    return slot
  }

  #hasNames(place: number, names: Int32Array): boolean {
    for (let c = 0; c < names.length; c++) if (this.#about[place + NAMES + c] !== names[c]) return false
    return true
  }

  #growSlots(): void {
    const places = this.#slots.filter((place) => place !== 0)
    this.#slots = new Int32Array(2 * this.#slots.length)
    for (const place of places) {
      const from = place + NAMES
      this.#slots[this.#slotOf(this.#about.subarray(from, from + this.#size - NAMES))] = place
    }
  }

  /** Forgets all: names get other numbers. */
  clear(): void {
    this.#about.fill(0, 0, this.#size)
    this.#slots.fill(0)
    this.#count = 1
    this.#piecesUsed = 0
    this.#last = 0
  }
}
