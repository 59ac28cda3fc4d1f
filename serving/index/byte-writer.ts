import { PERIODS, RAW, RUNS, SAME, SCALES, STEPS, WIDTHS } from './pack-format.ts'

/** Fewer numbers take no more bytes as they are. */
const STEPS_MIN = 16

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

  f64(value: number): void {
    const at = this.#reserve(8)
    this.#bytes.writeDoubleLE(value, at)
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

  /** Writes numbers; `before` are columns of equal length that were written before. After `period` numbers they may come again. */
  numbers(values: Float64Array, before: readonly Float64Array[] = [], period = values.length): void {
    const same = before.findIndex((other) => isSame(other, values))
    if (same >= 0) {
      this.u8(SAME)
      this.u8(same)
      return
    }
    if (values.length >= STEPS_MIN && isSteps(values)) {
      this.u8(STEPS)
      this.f64(values[0]!)
      this.f64(stepOf(values))
      return
    }
    if (period >= STEPS_MIN && period < values.length && isPeriodic(values, period)) {
      this.u8(PERIODS)
      this.u32(period)
      this.numbers(values.subarray(0, period))
      return
    }
    const ends = values.length >= STEPS_MIN ? runsOf(values, Math.floor(values.length / STEPS_MIN)) : null
    if (ends !== null) {
      this.u8(RUNS)
      this.u32(ends.length)
      this.numbers(Float64Array.from(ends, (end) => values[end - 1]!))
      this.numbers(Float64Array.from(ends))
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
    const wholes = new (width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array)(values.length)
    for (let i = 0; i < values.length; i++) wholes[i] = Math.round(values[i]! * scale)
    this.bytes(new Uint8Array(wholes.buffer))
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#length = 0
  }

  /** What was written, as long as nothing else is. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < b.length; i++) if (!Object.is(a[i], b[i])) return false
  return true
}

const stepOf = (values: Float64Array) => values[1]! - values[0]!

/** Whether each number is as much more than the one before, exactly. */
function isSteps(values: Float64Array): boolean {
  const [first, step] = [values[0]!, stepOf(values)]
  for (let i = 0; i < values.length; i++) if (!Object.is(first + i * step, values[i])) return false
  return true
}

/** Whether each number is that `period` places before. */
function isPeriodic(values: Float64Array, period: number): boolean {
  for (let i = period; i < values.length; i++) if (!Object.is(values[i - period], values[i])) return false
  return true
}

/** The place behind each run of equal numbers; null when they are more than `max`. */
function runsOf(values: Float64Array, max: number): number[] | null {
  const ends: number[] = []
  for (let i = 1; i <= values.length; i++) {
    if (i < values.length && Object.is(values[i], values[i - 1])) continue
    if (ends.push(i) > max) return null
  }
  return ends
}

/** Which of `WIDTHS` holds all of `values` times `scale` exactly, −1 when none does. */
function widthOf(values: Float64Array, scale: number): number {
  let highest = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const whole = Math.round(value * scale)
    // A zero that is negative stays so.
    if (!(whole >= 0 && whole < 2 ** 32) || Object.is(whole, -0) || whole / scale !== value) return -1
    if (whole > highest) highest = whole
  }
  return highest < 2 ** 8 ? 0 : highest < 2 ** 16 ? 1 : 2
}
