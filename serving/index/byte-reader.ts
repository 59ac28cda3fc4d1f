import { PERIODS, RAW, RUNS, SAME, STEPS, WIDTHS } from './pack-format.ts'
import { PackedNumbers } from './packed-numbers.ts'

const NO_BYTES = new Uint8Array()

/** Reads what `ByteWriter` wrote. Throws `RangeError` behind the end. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#at++)
  }

  u32(): number {
    const value = this.#bytes.readUInt32LE(this.#at)
    this.#at += 4
    return value
  }

  varint(): number {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = this.u8()
      value += (byte % 128) * unit
      if (byte < 128) return value
      unit *= 128
    }
  }

  bytes(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('behind the end')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  text(): string {
    return Buffer.from(this.bytes(this.varint())).toString('utf8')
  }

  f64(): number {
    const value = this.#bytes.readDoubleLE(this.#at)
    this.#at += 8
    return value
  }

  /** Where `n` numbers stand, without a look at them; `before` are columns of equal length that were read before. */
  numbers(n: number, before: readonly PackedNumbers[] = []): PackedNumbers {
    const kind = this.u8()
    if (kind === SAME) return before[this.u8()]!
    if (kind === STEPS) return new PackedNumbers(kind, this.bytes(16))
    if (kind === PERIODS) {
      const length = this.u32()
      return new PackedNumbers(kind, NO_BYTES, { length, numbers: this.numbers(length) })
    }
    if (kind === RUNS) {
      const runs = this.u32()
      const values = this.numbers(runs).read(0, new Float64Array(runs))
      return new PackedNumbers(kind, NO_BYTES, null, {
        values,
        ends: this.numbers(runs).read(0, new Uint32Array(runs)),
      })
    }
    const width = kind === RAW ? 8 : WIDTHS[(kind - 1) % WIDTHS.length]!
    return new PackedNumbers(kind, this.bytes(width * n))
  }
}
