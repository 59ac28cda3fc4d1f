/**
 * Numbers of a column in as few bytes as say them exactly. Little-endian:
 *
 *     u8 kind │ the numbers: 0 f64 │ 1 u8 │ 2 u16 │ 3 u32 of the number; 4 u8 │ 5 u16 │ 6 u32 of a hundred times it
 *     7, then u8: the same as the column of that place before
 */
const RAW = 0
const SAME = 7
const WIDTHS = [1, 2, 4] as const
const SCALES = [1, 100] as const

/** Bytes that are written behind each other. */
export class ByteWriter {
  #bytes = Buffer.alloc(1 << 12)
  #length = 0

  #reserve(length: number): number {
    const at = this.#length
    this.#length += length
    if (this.#length > this.#bytes.length) {
      const more = Buffer.alloc(Math.max(this.#length, 2 * this.#bytes.length))
      this.#bytes.copy(more)
      this.#bytes = more
    }
    return at
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = value
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.#bytes.writeUInt32LE(value, at)
  }

  /** A whole number that is not negative, seven bits a byte, low ones first. */
  varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.u8((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    this.u8(rest)
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  text(text: string): void {
    const bytes = Buffer.from(text)
    this.varint(bytes.length)
    this.bytes(bytes)
  }

  /** Writes numbers; `before` are columns of equal length that were written before. */
  numbers(values: Float64Array, before: readonly Float64Array[] = []): void {
    const same = before.findIndex((other) => isSame(other, values))
    if (same >= 0) {
      this.u8(SAME)
      this.u8(same)
      return
    }
    for (const [s, scale] of SCALES.entries()) {
      const width = widthOf(values, scale)
      if (width < 0) continue
      this.u8(1 + s * WIDTHS.length + width)
      this.#scaled(values, scale, WIDTHS[width]!)
      return
    }
    this.u8(RAW)
    this.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  #scaled(values: Float64Array, scale: number, width: 1 | 2 | 4): void {
    let at = this.#reserve(values.length * width)
    for (let i = 0; i < values.length; i++, at += width)
      this.#bytes.writeUIntLE(Math.round(values[i]! * scale), at, width)
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < b.length; i++) if (!Object.is(a[i], b[i])) return false
  return true
}

/** Which of `WIDTHS` holds all of `values` times `scale` exactly, −1 when none does. */
function widthOf(values: Float64Array, scale: number): number {
  let highest = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const whole = Math.round(value * scale)
    if (!(whole >= 0 && whole < 2 ** 32) || !Object.is(whole / scale, value)) return -1
    if (whole > highest) highest = whole
  }
  return highest < 2 ** 8 ? 0 : highest < 2 ** 16 ? 1 : 2
}

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

  numbers(n: number, before: readonly Float64Array[] = []): Float64Array {
    const kind = this.u8()
    if (kind === SAME) return before[this.u8()]!
    if (kind === RAW) return new Float64Array(new Uint8Array(this.bytes(8 * n)).buffer)
    const scale = SCALES[Math.floor((kind - 1) / WIDTHS.length)]!
    const values = this.#wholes(n, WIDTHS[(kind - 1) % WIDTHS.length]!)
    if (scale !== 1) for (let i = 0; i < n; i++) values[i] = values[i]! / scale
    return values
  }

  #wholes(n: number, width: 1 | 2 | 4): Float64Array {
    const bytes = this.bytes(width * n)
    if (width === 1) return Float64Array.from(bytes)
    // Copied, so that they begin at a multiple of their width.
    const { buffer } = new Uint8Array(bytes)
    return Float64Array.from(width === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer))
  }
}
