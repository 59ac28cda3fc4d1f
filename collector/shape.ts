import type { Desk } from './desk.ts'

/** Fields of a line, and words before a value, of which a shape is kept; what is longer is read anew each time. */
const FIELDS_MAX = 8
const WORDS_MAX = 8
const LAST_WORD = WORDS_MAX - 1

/**
 * What stood before each value of the line read last: its key with brace or comma, quotes, colon and spaces, like
 * `,"cpu":`. The next line is likely to look the same, and is then compared four bytes at a time instead of read.
 */
export class LineShape {
  readonly #view: DataView
  /** The field whose value came next, −1 when none is kept; how long it was; its words, the last one overlapping. */
  readonly fields = new Int32Array(FIELDS_MAX).fill(-1)
  readonly lengths = new Int32Array(FIELDS_MAX)
  readonly #words = new Int32Array(FIELDS_MAX * WORDS_MAX)

  constructor({ view }: Desk) {
    this.#view = view
  }

  /** Whether at `at` the same stands as before the `nth` value. */
  isAt(at: number, nth: number): boolean {
    const view = this.#view
    const words = this.#words
    const first = nth * WORDS_MAX
    const last = at + this.lengths[nth]! - 4
    if (view.getInt32(last, true) !== words[first + LAST_WORD]) return false
    let word = first
    for (let i = at; i < last; i += 4) if (view.getInt32(i, true) !== words[word++]) return false
    return true
  }

  /** Keeps what stands from `from` to `to` before the `nth` value, which is of `field`. */
  learn(from: number, to: number, nth: number, field: number): void {
    const length = to - from
    this.fields[nth] = length <= 4 * LAST_WORD ? field : -1
    if (length > 4 * LAST_WORD) return
    this.lengths[nth] = length
    let word = nth * WORDS_MAX
    this.#words[word + LAST_WORD] = this.#view.getInt32(to - 4, true)
    for (let at = from; at < to - 4; at += 4) this.#words[word++] = this.#view.getInt32(at, true)
  }
}
