import type { LineBuffer } from './line-buffer.ts'

/** Fields of a line, and pieces of what stands before a value, that are kept; what is longer is read anew each time. */
const FIELDS_MAX = 32
const PIECES_MAX = 4
const LAST_PIECE = PIECES_MAX - 1
const LENGTH_MAX = 8 * PIECES_MAX
/** The shortest is `"c":`, of a key of one letter. */
const WORD_BYTES = 4
const PIECE_BYTES = 8

/**
 * What stood before each value of the line read last: its key with brace or comma, quotes, colon and spaces, like
 * `,"cpu":`. The next line is likely to look the same, and is then compared eight bytes at a time instead of read. Eight
 * bytes are compared as a double: two doubles are equal when their bits are, but for NaN and zero, which no text is.
 */
export class LineShape {
  readonly #view: DataView
  /** Per value: the field that it is of, −1 when none is kept; the bytes before it; their pieces, the last one overlapping. */
  readonly fields = new Int32Array(FIELDS_MAX).fill(-1)
  readonly lengths = new Int32Array(FIELDS_MAX)
  readonly #pieces = new Float64Array(FIELDS_MAX * PIECES_MAX)
  /** The first word and the last of what is shorter than a piece. */
  readonly #words = new Int32Array(FIELDS_MAX * 2)

  constructor({ view }: LineBuffer) {
    this.#view = view
  }

  /** Returns whether the same stands at `at` as before the `nth` value of the line before. */
  isAt(at: number, nth: number): boolean {
    const view = this.#view
    const length = this.lengths[nth]!
    if (length < PIECE_BYTES) {
      const word = nth * 2
      return (
        view.getInt32(at, true) === this.#words[word] &&
        view.getInt32(at + length - WORD_BYTES, true) === this.#words[word + 1]
      )
    }
    const pieces = this.#pieces
    const first = nth * PIECES_MAX
    const last = at + length - PIECE_BYTES
    if (view.getFloat64(last, true) !== pieces[first + LAST_PIECE]) return false
    let piece = first
    for (let i = at; i < last; i += PIECE_BYTES)
      if (view.getFloat64(i, true) !== pieces[piece++]) return false
    return true
  }

  /** Learns what stands from `from` to `to` before the `nth` value, which is of `field`. */
  learn(from: number, to: number, nth: number, field: number): void {
    const view = this.#view
    const length = to - from
    this.fields[nth] = -1
    if (length < WORD_BYTES || length > LENGTH_MAX) return
    this.fields[nth] = field
    this.lengths[nth] = length
    if (length < PIECE_BYTES) {
      this.#words[nth * 2] = view.getInt32(from, true)
      this.#words[nth * 2 + 1] = view.getInt32(to - WORD_BYTES, true)
      return
    }
    let piece = nth * PIECES_MAX
    this.#pieces[piece + LAST_PIECE] = view.getFloat64(to - PIECE_BYTES, true)
    for (let at = from; at < to - PIECE_BYTES; at += PIECE_BYTES)
      this.#pieces[piece++] = view.getFloat64(at, true)
  }
}
