import { firstAtLeast } from '../../schemas/sorted.ts'

/**
 * Numbers of a column in as few bytes as say them exactly, each in as many as the others, so that some can be read without those
 * before. Little-endian:
 *
 *     u8 kind │ the numbers
 *
 *     0          f64
 *     1, 2, 3    u8, u16, u32 of the number
 *     4, 5, 6    the same of a hundred times it; 7, 8, 9: of a thousand times it
 *     252        u32 runs of equal numbers │ the number of each │ the place behind each, both as said here
 *     253        u32 how many come again and again │ those numbers, as said here
 *     254        f64 the first, f64 by how much each is more than the one before
 *     255, u8    the same as the column of that place before
 */
const RAW = 0
const RUNS = 252
const PERIODS = 253
const STEPS = 254
const SAME = 255
/** Fewer numbers take no more bytes as they are. */
const STEPS_MIN = 16
const WIDTHS = [1, 2, 4] as const
const SCALES = [1, 100, 1_000] as const

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

const NO_BYTES = new Uint8Array()

/** What numbers are read into: as they are, or those that are known to be whole. */
type Room = Float64Array | Int32Array | Uint32Array

/** Room for one number, which is taken out at once. */
const ONE = new Float64Array(1)

/** Numbers that come again and again. */
interface Period {
  readonly length: number
  readonly numbers: PackedNumbers
}

/** Runs of equal numbers: the number of each, and the place behind it. */
interface Runs {
  readonly values: Float64Array
  readonly ends: Uint32Array
}

/** Numbers of a column as they were written. */
export class PackedNumbers {
  readonly #kind: number
  readonly #bytes: Uint8Array
  readonly #period: Period | null
  readonly #runs: Runs | null
  #data: DataView | null = null

  constructor(kind: number, bytes: Uint8Array, period: Period | null = null, runs: Runs | null = null) {
    this.#kind = kind
    this.#bytes = bytes
    this.#period = period
    this.#runs = runs
  }

  /** The numbers from place `from` on, as many as `into` has room for. */
  read<T extends Room>(from: number, into: T): T {
    if (this.#kind === RAW) this.#raw(from, into)
    else if (this.#kind === STEPS) this.#steps(from, into)
    else if (this.#runs !== null) readEqual(this.#runs, from, into)
    else if (this.#period !== null) this.#periods(this.#period, from, into)
    else {
      this.#wholes(WIDTHS[(this.#kind - 1) % WIDTHS.length]!, from, into)
      const scale = SCALES[Math.floor((this.#kind - 1) / WIDTHS.length)]!
      if (scale !== 1) for (let i = 0; i < into.length; i++) into[i] = into[i]! / scale
    }
    return into
  }

  /** The number at place `i`. */
  at(i: number): number {
    return this.read(i, ONE)[0]!
  }

  #raw(from: number, into: Room): void {
    const view = this.#view()
    for (let i = 0; i < into.length; i++) into[i] = view.getFloat64(8 * (from + i), true)
  }

  #steps(from: number, into: Room): void {
    const view = this.#view()
    const [first, step] = [view.getFloat64(0, true), view.getFloat64(8, true)]
    for (let i = 0; i < into.length; i++) into[i] = first + (from + i) * step
  }

  #periods({ length, numbers }: Period, from: number, into: Room): void {
    for (let done = 0; done < into.length; ) {
      const at = (from + done) % length
      const end = Math.min(into.length, done + length - at)
      numbers.read(at, done === 0 && end === into.length ? into : into.subarray(done, end))
      done = end
    }
  }

  #wholes(width: 1 | 2 | 4, from: number, into: Room): void {
    const bytes = this.#bytes
    const n = into.length
    // Numbers behind the end would be read as none.
    if (width * (from + n) > bytes.length) throw new RangeError('behind the end')
    if (width === 1) for (let i = 0; i < n; i++) into[i] = bytes[from + i]!
    else {
      const view = this.#view()
      if (width === 2) for (let i = 0; i < n; i++) into[i] = view.getUint16(2 * (from + i), true)
      else for (let i = 0; i < n; i++) into[i] = view.getUint32(4 * (from + i), true)
    }
  }

  #view(): DataView {
    this.#data ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
    return this.#data
  }
}

function readEqual({ values, ends }: Runs, from: number, into: Room): void {
  let run = firstAtLeast(ends, from + 1)
  for (let done = 0; done < into.length; run++) {
    // Numbers behind the end would be read as none.
    if (run === ends.length) throw new RangeError('behind the end')
    const end = Math.min(into.length, ends[run]! - from)
    into.fill(values[run]!, done, end)
    done = end
  }
}

/** Numbers that follow each other, from the one at `from` to that before `to`. */
export interface Run {
  readonly from: number
  readonly to: number
}

/** The numbers of some runs behind each other, for which there is room. */
export function readRuns<T extends Room>(numbers: PackedNumbers, runs: readonly Run[], into: T): T {
  if (runs.length === 1) return numbers.read(runs[0]!.from, into)
  let at = 0
  for (const { from, to } of runs) {
    numbers.read(from, into.subarray(at, at + to - from))
    at += to - from
  }
  return into
}
