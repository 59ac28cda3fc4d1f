import { grown } from '../../schemas/grown.ts'

/** As Parquet's DELTA_BINARY_PACKED has them: blocks of 128 differences in four parts, each with a width of its own. */
const BLOCK_VALUES = 128
const PARTS = 4
const PART_VALUES = BLOCK_VALUES / PARTS
/** Below this a number doubled is exact, and so is the zigzag form of a difference. */
const NUMBER_MAX = 2 ** 52
/** A block takes at most so many bytes: head, widths, and 128 differences of 52 bits. */
const BLOCK_BYTES_MAX = 10 + PARTS + BLOCK_VALUES * 7
/** Bits that are put into a byte at a time; with seven that wait they fit 32. */
const PIECE_BITS = 24
const PIECE = 2 ** PIECE_BITS

/** Whether the differences of whole numbers, and what is computed of them, are exact as doubles. */
export function canDeltaPack(values: Float64Array): boolean {
  let [least, most] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (i === 0 || value < least) least = value
    if (i === 0 || value > most) most = value
  }
  return -least < NUMBER_MAX && most < NUMBER_MAX && most - least < NUMBER_MAX / 2
}

/**
 * Whole numbers as DELTA_BINARY_PACKED, for which `canDeltaPack` holds. Without a bigint a value, which times, being microseconds, would
 * need otherwise, and which cost ten times as much.
 */
export function deltaPacked(values: Float64Array): Uint8Array {
  const out = new Packer()
  out.varint(BLOCK_VALUES)
  out.varint(PARTS)
  out.varint(values.length)
  out.zigzag(values[0] ?? 0)
  const deltas = new Float64Array(BLOCK_VALUES)
  for (let from = 1; from < values.length; from += BLOCK_VALUES) {
    const n = Math.min(BLOCK_VALUES, values.length - from)
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < n; i++) {
      deltas[i] = values[from + i]! - values[from + i - 1]!
      if (deltas[i]! < least) least = deltas[i]!
    }
    for (let i = 0; i < n; i++) deltas[i]! -= least
    deltas.fill(0, n)
    out.block(least, deltas)
  }
  return out.bytes()
}

class Packer {
  #bytes = new Uint8Array(BLOCK_BYTES_MAX)
  #end = 0

  varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#end++] = (rest % 0x80) | 0x80
    this.#bytes[this.#end++] = rest
  }

  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  /** Differences, less the least of them. */
  block(least: number, deltas: Float64Array): void {
    if (this.#end + BLOCK_BYTES_MAX > this.#bytes.length)
      this.#bytes = grown(this.#bytes, this.#end + BLOCK_BYTES_MAX)
    this.zigzag(least)
    const widthsAt = this.#end
    this.#end += PARTS
    for (let part = 0; part < PARTS; part++) {
      const own = deltas.subarray(part * PART_VALUES, (part + 1) * PART_VALUES)
      const width = widthOf(own)
      this.#bytes[widthsAt + part] = width
      if (width > 0) this.#pack(own, width)
    }
  }

  /** Lowest bits first. 32 values of any width end with a whole byte. */
  #pack(values: Float64Array, width: number): void {
    const bytes = this.#bytes
    let end = this.#end
    let waiting = 0
    let bits = 0
    for (let i = 0; i < values.length; i++) {
      let rest = values[i]!
      for (let left = width; left > 0; left -= PIECE_BITS) {
        const above = left > PIECE_BITS ? Math.floor(rest / PIECE) : 0
        waiting |= (rest - above * PIECE) << bits
        rest = above
        for (bits += Math.min(left, PIECE_BITS); bits >= 8; bits -= 8) {
          bytes[end++] = waiting & 0xff
          waiting >>>= 8
        }
      }
    }
    this.#end = end
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }
}

/** Bits that the largest takes. */
function widthOf(values: Float64Array): number {
  let most = 0
  for (let i = 0; i < values.length; i++) if (values[i]! > most) most = values[i]!
  return most < 2 ** 32 ? 32 - Math.clz32(most) : 64 - Math.clz32(Math.floor(most / 2 ** 32))
}
