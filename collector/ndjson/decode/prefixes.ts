import { grown } from '../../../schemas/grown.ts'
import type { LineBuffer } from './line-buffer.ts'

/** What is kept of a beginning: where its pieces begin, how long it is, its fields, which one came after it; then its names. */
const [START, LENGTH, FIELDS, NEXT, NAMES] = [0, 1, 2, 3, 4] as const
const PIECE_BYTES = 8
/** Longer ones are read anew each time. */
const LENGTH_MAX = 512
/** Prefixes kept at once; one more, and all are learned anew. */
const COUNT_MAX = 1 << 16
/** Numbers of names are below that. */
const NAMES_LIMIT = 2 ** 24

/**
 * Prefixes of lines, with the names that stand in front: `{"service":"web","host":"web-1"`. Senders repeat themselves:
 * the beginning that followed the last one before is expected again, and is then compared eight bytes at a time, as
 * doubles (`LineShape` says why), instead of read.
 */
export class Prefixes {
  readonly #view: DataView
  /** `ABOUT` numbers of each, side by side. The first is none: it matches nothing, and stands before all. */
  #about: Int32Array<ArrayBuffer>
  /** Numbers of each. */
  readonly #size: number
  #count = 1
  /** Their pieces; the last of each overlaps the one before. */
  #pieces = new Float64Array(1_024)
  #piecesUsed = 0
  readonly #placeOf = new Map<number | string, number>()
  /** Where what is kept of the one read last stands. */
  #last = 0

  /** Of lines that have so many names. */
  constructor({ view }: LineBuffer, names: number) {
    this.#view = view
    this.#size = NAMES + names
    this.#about = new Int32Array(64 * this.#size)
  }

  /** Whether the one expected stands at `at`: its length then, else 0. What lies behind the last line must be zeros. */
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
    return length
  }

  /** The fields of the one read last, as whoever taught it named them, and the numbers of its names. */
  get fields(): number {
    return this.#about[this.#last + FIELDS]!
  }

  /** The number of its name `c`. */
  nameAt(c: number): number {
    return this.#about[this.#last + NAMES + c]!
  }

  /**
   * A line was read that begins with what stands from `from` to `to`: these `fields` (a small number) and names; 0 stands
   * for a name that does not stand in front.
   */
  learn(from: number, to: number, fields: number, names: Int32Array): void {
    const view = this.#view
    const length = to - from
    if (length < PIECE_BYTES || length > LENGTH_MAX) return
    const place = this.#placeFor(length, keyOf(names))
    const about = this.#about
    about[place + FIELDS] = fields
    about.set(names, place + NAMES)
    let piece = about[place + START]!
    for (let at = from; at < to - PIECE_BYTES; at += PIECE_BYTES)
      this.#pieces[piece++] = view.getFloat64(at, true)
    this.#pieces[piece] = view.getFloat64(to - PIECE_BYTES, true)
    about[this.#last + NEXT] = place
    this.#last = place
  }

  /** The place of the beginning with these names, so long; those of another length it had are forgotten. */
  #placeFor(length: number, names: number | string): number {
    const known = this.#placeOf.get(names)
    if (known !== undefined && this.#about[known + LENGTH] === length) return known
    if (this.#count === COUNT_MAX) this.clear()
    const place = this.#count++ * this.#size
    const pieces = Math.ceil(length / PIECE_BYTES)
    if (place + this.#size > this.#about.length) this.#about = grown(this.#about)
    if (this.#piecesUsed + pieces > this.#pieces.length) this.#pieces = grown(this.#pieces)
    this.#about[place + START] = this.#piecesUsed
    this.#about[place + LENGTH] = length
    this.#about[place + NEXT] = 0
    this.#piecesUsed += pieces
    this.#placeOf.set(names, place)
    return place
  }

  /** Numbers of names mean nothing any more. */
  clear(): void {
    this.#about.fill(0, 0, this.#size)
    this.#placeOf.clear()
    this.#count = 1
    this.#piecesUsed = 0
    this.#last = 0
  }
}

/** What tells names apart: of two their numbers in one. */
function keyOf(names: Int32Array): number | string {
  return names.length > 2 ? names.join() : names[0]! * NAMES_LIMIT + (names[1] ?? 0)
}
