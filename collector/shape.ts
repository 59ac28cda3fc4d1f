/** Fields of a line, and words before a value, of which a shape is kept; what is longer is read anew each time. */
const FIELDS_MAX = 8
const WORDS_MAX = 8

/**
 * What stood before each value of the line read last: its key with brace or comma, quotes, colon and spaces, like
 * `,"cpu":`. The next line is likely to look the same, and is then compared four bytes at a time instead of read.
 */
export class LineShape {
  readonly #fields = new Int8Array(FIELDS_MAX).fill(-1)
  readonly #lengths = new Uint8Array(FIELDS_MAX)
  readonly #words = new Int32Array(FIELDS_MAX * WORDS_MAX)

  /** The field whose value comes next when what stands at `at` is what stood before the `nth` value; −1 when not. */
  fieldAt(view: DataView, at: number, nth: number): number {
    const field = this.#fields[nth]!
    if (!(field >= 0)) return -1
    const length = this.#lengths[nth]!
    const words = this.#words
    let word = nth * WORDS_MAX
    const last = at + length - 4
    for (let i = at; i < last; i += 4) if (view.getInt32(i, true) !== words[word++]) return -1
    // The last word overlaps the one before it.
    return view.getInt32(last, true) === words[word] ? field : -1
  }

  lengthAt(nth: number): number {
    return this.#lengths[nth]!
  }

  /** Keeps what stands from `from` to `to` before the `nth` value, which is of `field`; returns `field`. */
  learn(view: DataView, from: number, to: number, nth: number, field: number): number {
    const length = to - from
    this.#fields[nth] = length <= 4 * WORDS_MAX ? field : -1
    if (length > 4 * WORDS_MAX) return field
    this.#lengths[nth] = length
    let word = nth * WORDS_MAX
    for (let at = from; at < to - 4; at += 4) this.#words[word++] = view.getInt32(at, true)
    this.#words[word] = view.getInt32(to - 4, true)
    return field
  }
}
