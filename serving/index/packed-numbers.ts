import { firstAtLeast } from '../../schemas/sorted.ts'
import { RAW, SCALES, STEPS, WIDTHS } from './pack-format.ts'

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
