import { type Dataset, nameColumns } from '../../../schemas/dataset.ts'
import type { DatasetIntake } from '../../intake/dataset-intake.ts'
import { AHEAD_MS_MAX } from '../../intake/limits.ts'
import type { Row } from '../../intake/row.ts'
import type { LineContext } from '../message-line.ts'
import { EXACT_POWERS } from './decimal.ts'
import type { LineBuffer } from './line-buffer.ts'
import { LineShape } from './line-shape.ts'
import { NameReader } from './name-reader.ts'
import { NumberReader, SHORT_DIGITS } from './number-reader.ts'
import { Prefixes } from './prefixes.ts'
import { TimeReader } from './time-reader.ts'

const [QUOTE, COLON, COMMA, OPEN, CLOSE] = [0x22, 0x3a, 0x2c, 0x7b, 0x7d] as const
const [SPACE, TAB, RETURN, NEWLINE] = [0x20, 0x09, 0x0d, 0x0a] as const
const [ZERO, DOT] = [0x30, 0x2e] as const

/** Fields are bits of a number of 32 bits; a dataset of more is left to the complete path. */
const FIELDS_MAX = 30

/**
 * Decodes message lines in their usual form straight from the bytes received, in one pass and without an object or string
 * for a message: any order of keys, spaces between tokens, any JSON number that is not negative, times as ISO 8601 in UTC
 * or milliseconds. Whatever else a line holds (escapes, other fields, a key twice, a name too many, anything wrong) it
 * leaves to `decodeLine`, with which it agrees on every line that it takes.
 *
 * A line mostly begins like one before (`Prefixes`) and has the shape of the line before: what stands between its values is
 * compared with what stood there (`LineShape`), and read token by token only where it differs.
 */
export class LineDecoder {
  readonly #intake: DatasetIntake
  readonly #row: Row
  readonly #bytes: Uint8Array
  /** Fields by number: the gauges, in their order, then names, time and seq. */
  readonly #fields: readonly Buffer[]
  readonly #gauges: number
  readonly #time: number
  readonly #seq: number
  /** Bits of all names, and of the fields that a line must have. */
  readonly #nameBits: number
  readonly #required: number
  /** Index of the source among the names, −1 without one. */
  readonly #source: number
  /** Gauges that a line may lack. */
  readonly #optional: readonly number[]
  /** Bounds of those gauges that a number of few digits can exceed. */
  readonly #bounds: readonly { readonly g: number; readonly min: number; readonly max: number }[]
  readonly #maxima: Float64Array
  readonly #prefixes: Prefixes
  readonly #shape: LineShape
  readonly #numbers: NumberReader
  readonly #names: NameReader
  readonly #times: TimeReader
  /** Numbers of the names in front of the line being read, 0 for names elsewhere. */
  readonly #front: Int32Array
  /** The field of the key read last. */
  #field = 0
  #defaultSource = ''
  #defaultSourceId = -1

  /** Decodes what lies in `lineBuffer` into the row of `intake`. */
  constructor(lineBuffer: LineBuffer, intake: DatasetIntake) {
    const { gauges, source } = intake.dataset
    const names = nameColumns(intake.dataset)
    this.#intake = intake
    this.#row = intake.row
    this.#bytes = lineBuffer.bytes
    this.#gauges = gauges.length
    this.#time = gauges.length + names.length
    this.#seq = this.#time + 1
    this.#fields = fieldsOf(intake.dataset)
    const bits = (from: number, to: number) => ((1 << (to - from)) - 1) << from
    this.#nameBits = bits(gauges.length, this.#time)
    this.#source = source === null ? -1 : names.length - 1
    const optional = gauges.flatMap((gauge, g) => (gauge.optional ? [g] : []))
    this.#optional = optional
    const sourceBit = source === null ? 0 : 1 << (this.#time - 1)
    this.#required = optional.reduce((all, g) => all & ~(1 << g), bits(0, this.#time) & ~sourceBit)
    this.#bounds = gauges.flatMap(({ min, max }, g) => (min > 0 || max < SHORT_MAX ? [{ g, min, max }] : []))
    this.#maxima = Float64Array.from(gauges, ({ max }) => max)
    this.#front = new Int32Array(names.length)
    this.#prefixes = new Prefixes(lineBuffer, names.length)
    this.#shape = new LineShape(lineBuffer)
    this.#numbers = new NumberReader(lineBuffer)
    this.#names = new NameReader(lineBuffer)
    this.#times = new TimeReader(lineBuffer)
  }

  /** Forgets numbers of names: they get others. */
  forget(): void {
    this.#defaultSourceId = -1
    this.#prefixes.clear()
  }

  /** Decodes the line that begins at `from`. Returns where its newline stands, −1 when it is one for `decodeLine`. */
  decode(from: number, context: LineContext): number {
    if (this.#fields.length > FIELDS_MAX) return -1
    const gauges = this.#gauges
    const time = this.#time
    const nameBits = this.#nameBits
    const { values } = this.#row
    const shape = this.#shape
    const bytes = this.#bytes
    let at = from
    let seen = 0
    let nth = 0
    /** Where the names in front end that were read one by one, and which they are. */
    let namesEnd = 0
    let names = 0
    const begun = this.#prefixes.guess(from)
    if (begun > 0) {
      at += begun
      seen = this.#prefixes.fields
      nth = countOf(seen)
      this.#takeNames(seen)
    }
    for (; ; nth++) {
      let field = shape.fields[nth]!
      if (field >= 0 && shape.isAt(at, nth)) at += shape.lengths[nth]!
      else {
        const key = at
        at = nth < this.#fields.length ? this.#readKey(key, nth) : -1
        if (at < 0) return -1
        field = this.#field
        shape.learn(key, at, nth, field)
      }
      if (seen & (1 << field)) return -1
      seen |= 1 << field
      if (field >= gauges) {
        at = this.#readOther(at, field)
        if (field < time && at >= 0 && (seen & ~nameBits) === 0) {
          namesEnd = at
          names = seen
        }
      } else {
        // A gauge of few digits: most of what there is to read. Reading it here saves a tenth of the whole.
        const start = at
        let digits = 0
        let digit = bytes[at]! ^ ZERO
        for (; digit <= 9; digit = bytes[++at]! ^ ZERO) digits = (Math.imul(digits, 10) + digit) | 0
        let fraction = 0
        if (bytes[at] === DOT) {
          const dot = at
          digit = bytes[++at]! ^ ZERO
          for (; digit <= 9; digit = bytes[++at]! ^ ZERO) digits = (Math.imul(digits, 10) + digit) | 0
          fraction = at - dot - 1
        }
        const end = bytes[at]!
        // Anything unusual is looked at again: no digits where some must be, a zero in front, many digits, an exponent.
        const whole = fraction > 0 ? at - start - fraction - 1 : at - start
        const isWhole =
          whole > 0 && (bytes[start] !== ZERO || whole === 1) && (fraction > 0 || bytes[at - 1] !== DOT)
        if (isWhole && whole + fraction <= SHORT_DIGITS && (end === COMMA || end === CLOSE))
          values[field] = digits / EXACT_POWERS[fraction]!
        else at = this.#readGauge(start, field)
      }
      if (at < 0) return -1
      const byte = bytes[at]!
      if (byte === COMMA) continue
      if (byte !== CLOSE || bytes[at + 1] !== NEWLINE) {
        at = skip(bytes, at)
        if (bytes[at] === COMMA) continue
        if (bytes[at] !== CLOSE) return -1
        at = skip(bytes, at + 1) - 1
        if (bytes[at + 1] !== NEWLINE) return -1
      }
      if (namesEnd > 0 && this.#prefixes.wantsToLearn()) this.#learnPrefix(from, namesEnd, names)
      return this.#isWhole(seen, context) ? at + 1 : -1
    }
  }

  #learnPrefix(from: number, to: number, names: number): void {
    const front = this.#front
    for (let c = 0; c < front.length; c++)
      front[c] = names & (1 << (this.#gauges + c)) ? this.#row.names[c]! : 0
    this.#prefixes.learn(from, to, names, front)
  }

  /** Takes the names of the prefix read last for those of this line; they are seen now. */
  #takeNames(seen: number): void {
    const { names } = this.#row
    for (let c = 0; c < names.length; c++) {
      if (!(seen & (1 << (this.#gauges + c)))) continue
      names[c] = this.#prefixes.nameAt(c)
      this.#intake.names[c]!.touch(names[c]!)
    }
  }

  /** Fills in what was left out. Returns false when anything else is missing or out of bounds. */
  #isWhole(seen: number, { agent, arrivalMs, oldestMs, senderAddress }: LineContext): boolean {
    const { values, names } = this.#row
    const gauges = this.#gauges
    if ((seen & this.#required) !== this.#required) return false
    // A number belongs to an agent's messages, and to no others.
    if ((agent !== null) !== (seen & (1 << this.#seq)) > 0) return false
    if (agent === null) values[gauges + 1] = 0
    if (!(seen & (1 << this.#time))) values[gauges] = arrivalMs
    const timeMs = values[gauges]!
    if (!(timeMs >= oldestMs && timeMs <= arrivalMs + AHEAD_MS_MAX)) return false
    for (const g of this.#optional) if (!(seen & (1 << g))) values[g] = Number.NaN
    // What is absent is within all bounds.
    for (const { g, min, max } of this.#bounds) if (values[g]! < min || values[g]! > max) return false
    const source = this.#source
    if (source < 0 || seen & (1 << (gauges + source))) return true
    names[source] = this.#defaultIdOf(senderAddress)
    return names[source]! >= 0
  }

  #defaultIdOf(senderAddress: string): number {
    const known = this.#intake.names[this.#source]!
    if (this.#defaultSourceId < 0 || this.#defaultSource !== senderAddress) {
      this.#defaultSource = senderAddress
      this.#defaultSourceId = known.idOf(senderAddress)
    }
    if (this.#defaultSourceId >= 0) known.touch(this.#defaultSourceId)
    return this.#defaultSourceId
  }

  /** Reads a key, from the brace or comma before it, into `#field`. Returns where its value begins, −1 when it is no plain one. */
  #readKey(from: number, nth: number): number {
    const bytes = this.#bytes
    let at = nth === 0 ? skip(bytes, from) : from
    if (bytes[at] !== (nth === 0 ? OPEN : COMMA)) return -1
    at = skip(bytes, at + 1)
    if (bytes[at] !== QUOTE) return -1
    this.#field = fieldNamed(this.#fields, bytes, at + 1)
    if (this.#field < 0) return -1
    at = skip(bytes, at + this.#fields[this.#field]!.length + 2)
    return bytes[at] === COLON ? skip(bytes, at + 1) : -1
  }

  /** Reads a gauge at `at`. Returns where it ends, −1 when it is too large or no number. */
  #readGauge(at: number, field: number): number {
    const end = this.#numbers.read(at)
    const { value } = this.#numbers
    if (!(value <= this.#maxima[field]!)) return -1
    this.#row.values[field] = value
    return end
  }

  /** Reads the value at `at` of a field that is no gauge. Returns where it ends, −1 when it is not plain. */
  #readOther(at: number, field: number): number {
    const { values, names } = this.#row
    if (field < this.#time) {
      const c = field - this.#gauges
      const end = this.#names.read(at, this.#intake.names[c]!)
      names[c] = this.#names.id
      return end
    }
    if (field === this.#time && this.#bytes[at] === QUOTE) {
      const end = this.#times.read(at + 1)
      values[this.#gauges] = this.#times.value
      return end
    }
    const end = this.#numbers.read(at)
    const { value } = this.#numbers
    if (field === this.#time) values[this.#gauges] = Math.trunc(value)
    else if (Number.isSafeInteger(value) && value >= 1) values[this.#gauges + 1] = value
    else return -1
    return end
  }
}

/** Above every number of few digits. */
const SHORT_MAX = 10 ** SHORT_DIGITS

/** The names of the fields, by number. */
function fieldsOf(dataset: Dataset): Buffer[] {
  const gauges = dataset.gauges.map(({ name }) => name)
  return [...gauges, ...nameColumns(dataset), 'time_stamp', 'seq'].map((name) => Buffer.from(name))
}

/** Counts the bits that are set. */
function countOf(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1
  return count
}

function fieldNamed(fields: readonly Buffer[], bytes: Uint8Array, at: number): number {
  for (let field = 0; field < fields.length; field++) if (isNamed(bytes, at, fields[field]!)) return field
  return -1
}

function isNamed(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false
  return bytes[at + name.length] === QUOTE
}

function skip(bytes: Uint8Array, from: number): number {
  let at = from
  for (let byte = bytes[at]!; byte <= SPACE; byte = bytes[++at]!)
    if (byte !== SPACE && byte !== TAB && byte !== RETURN) break
  return at
}
