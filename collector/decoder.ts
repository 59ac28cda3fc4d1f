import { NAMES_FULL, type Names } from '../log/names.ts'
import { GAUGE_VALUE_MAX, GAUGES } from '../schemas/gauges.ts'
import { AHEAD_MS_MAX, type LineContext } from '../schemas/line.ts'
import type { Message } from '../schemas/message.ts'
import { Beginnings } from './beginnings.ts'
import { EXACT_POWERS } from './decimal.ts'
import type { Desk } from './desk.ts'
import { NameReader } from './name-reader.ts'
import { NumberReader, SHORT_DIGITS } from './number-reader.ts'
import { LineShape } from './shape.ts'
import { TimeReader } from './time-reader.ts'

const [QUOTE, COLON, COMMA, OPEN, CLOSE] = [0x22, 0x3a, 0x2c, 0x7b, 0x7d] as const
const [SPACE, TAB, RETURN, NEWLINE] = [0x20, 0x09, 0x0d, 0x0a] as const
const [ZERO, DOT] = [0x30, 0x2e] as const

/** Fields by number: the gauges, in their order, then these. */
const FIELDS = [...GAUGES, 'service', 'host', 'time_stamp', 'seq'].map((name) => Buffer.from(name))
const SERVICE = GAUGES.length
const HOST = SERVICE + 1
const TIME = HOST + 1
const SEQ = TIME + 1
const NAMES = (1 << SERVICE) | (1 << HOST)
const REQUIRED = (1 << (SERVICE + 1)) - 1

/** The names that a collector has seen, each with its number. */
export interface KnownNames {
  readonly services: Names
  readonly hosts: Names
}

/**
 * Decodes message lines in their usual form straight from the bytes received, in one pass and without an object or string
 * for a message: any order of keys, spaces between tokens, any JSON number that is not negative, times as ISO 8601 in UTC
 * or milliseconds. Whatever else a line holds (escapes, other fields, a key twice, a name too many, anything wrong) it
 * leaves to `decodeLine`, with which it agrees on every line that it takes.
 *
 * A line mostly begins like one before (`Beginnings`) and has the shape of the line before: what stands between its values is
 * compared with what stood there (`LineShape`); only where it differs it is read token by token.
 */
export class LineDecoder {
  /** Of the line decoded last, the numbers of its names. */
  service = 0
  host = 0
  /** Gauges in their order, then time and seq (0 without). */
  readonly values = new Float64Array(GAUGES.length + 2)

  readonly #known: KnownNames
  readonly #bytes: Uint8Array
  readonly #beginnings: Beginnings
  readonly #shape: LineShape
  readonly #numbers: NumberReader
  readonly #names: NameReader
  readonly #times: TimeReader
  /** The field of the key read last. */
  #field = 0
  #defaultHost = ''
  #defaultHostId = -1

  /** Decodes what lies on `desk`. */
  constructor(desk: Desk, known: KnownNames) {
    this.#known = known
    this.#bytes = desk.bytes
    this.#beginnings = new Beginnings(desk)
    this.#shape = new LineShape(desk)
    this.#numbers = new NumberReader(desk)
    this.#names = new NameReader(desk)
    this.#times = new TimeReader(desk)
  }

  get timeMs(): number {
    return this.values[GAUGES.length]!
  }

  get seq(): number {
    return this.values[GAUGES.length + 1]!
  }

  /** The hour in which names are seen from now on. */
  set hour(hour: number) {
    this.#known.services.now = hour
    this.#known.hosts.now = hour
  }

  /** Numbers of names that were given out mean nothing any more. */
  forget(): void {
    this.#defaultHostId = -1
    this.#beginnings.clear()
  }

  /** Takes a message that the complete path decoded; which names there are too many of, null when it fits. */
  take({ service, host, timeMs, gauges, seq }: Message): 'services' | 'hosts' | null {
    this.service = this.#known.services.idOf(service)
    if (this.service === NAMES_FULL) return 'services'
    this.host = this.#known.hosts.idOf(host)
    if (this.host === NAMES_FULL) return 'hosts'
    for (let g = 0; g < gauges.length; g++) this.values[g] = gauges[g]!
    this.values[GAUGES.length] = timeMs
    this.values[GAUGES.length + 1] = seq ?? 0
    return null
  }

  /** Decodes the line that begins at `from`; the place of its newline, −1 when `decodeLine` must look at it. */
  decode(from: number, context: LineContext): number {
    const shape = this.#shape
    const bytes = this.#bytes
    let at = from
    let seen = 0
    let nth = 0
    /** Where names end that stand in front and were read one by one, and which. */
    let namesEnd = 0
    let names = 0
    const begun = this.#beginnings.guess(from)
    if (begun > 0) {
      at += begun
      seen = this.#beginnings.fields
      nth = seen === NAMES ? 2 : 1
      this.#takeNames(seen)
    }
    for (; ; nth++) {
      let field = shape.fields[nth]!
      if (field >= 0 && shape.isAt(at, nth)) at += shape.lengths[nth]!
      else {
        const key = at
        at = nth < FIELDS.length ? this.#readKey(key, nth) : -1
        if (at < 0) return -1
        field = this.#field
        shape.learn(key, at, nth, field)
      }
      if (seen & (1 << field)) return -1
      seen |= 1 << field
      if (field >= SERVICE) {
        at = this.#readOther(at, field)
        if (field <= HOST && at >= 0 && (seen & ~NAMES) === 0) {
          namesEnd = at
          names = seen
        }
      } else {
        // A gauge of few digits, which is most of what there is to read: in line, it saves a tenth of the whole.
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
          this.values[field] = digits / EXACT_POWERS[fraction]!
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
      if (namesEnd > 0) this.#learnBeginning(from, namesEnd, names)
      return this.#isWhole(seen, context) ? at + 1 : -1
    }
  }

  #learnBeginning(from: number, to: number, names: number): void {
    const service = names & (1 << SERVICE) ? this.service : 0
    const host = names & (1 << HOST) ? this.host : 0
    this.#beginnings.learn(from, to, names, service, host)
  }

  /** The names of the beginning read last are those of this line, and seen now. */
  #takeNames(seen: number): void {
    if (seen & (1 << SERVICE)) {
      this.service = this.#beginnings.service
      this.#known.services.touch(this.service)
    }
    if (seen & (1 << HOST)) {
      this.host = this.#beginnings.host
      this.#known.hosts.touch(this.host)
    }
  }

  /** Fills in what was left out; whether nothing else is missing or out of bounds. */
  #isWhole(seen: number, { agent, arrivalMs, oldestMs, senderAddress }: LineContext): boolean {
    const { values } = this
    if ((seen & REQUIRED) !== REQUIRED) return false
    // A number belongs to an agent's messages, and to no others.
    if ((agent !== null) !== (seen & (1 << SEQ)) > 0) return false
    if (agent === null) values[GAUGES.length + 1] = 0
    if (!(seen & (1 << TIME))) values[GAUGES.length] = arrivalMs
    const timeMs = values[GAUGES.length]!
    if (!(timeMs >= oldestMs && timeMs <= arrivalMs + AHEAD_MS_MAX)) return false
    if (seen & (1 << HOST)) return true
    this.host = this.#defaultIdOf(senderAddress)
    return this.host >= 0
  }

  #defaultIdOf(senderAddress: string): number {
    if (this.#defaultHostId < 0 || this.#defaultHost !== senderAddress) {
      this.#defaultHost = senderAddress
      this.#defaultHostId = this.#known.hosts.idOf(senderAddress)
    }
    if (this.#defaultHostId >= 0) this.#known.hosts.touch(this.#defaultHostId)
    return this.#defaultHostId
  }

  /** Reads what stands before a value of `#field`, from the brace or comma on; where the value begins, −1 when it is not plain. */
  #readKey(from: number, nth: number): number {
    const bytes = this.#bytes
    let at = nth === 0 ? skip(bytes, from) : from
    if (bytes[at] !== (nth === 0 ? OPEN : COMMA)) return -1
    at = skip(bytes, at + 1)
    if (bytes[at] !== QUOTE) return -1
    this.#field = fieldNamed(bytes, at + 1)
    if (this.#field < 0) return -1
    at = skip(bytes, at + FIELDS[this.#field]!.length + 2)
    return bytes[at] === COLON ? skip(bytes, at + 1) : -1
  }

  /** Reads a gauge at `at`; where it ends, −1 when it is out of bounds or no number. */
  #readGauge(at: number, field: number): number {
    const end = this.#numbers.read(at)
    const { value } = this.#numbers
    if (!(value <= GAUGE_VALUE_MAX)) return -1
    this.values[field] = value
    return end
  }

  /** Reads the value of a field that is no gauge. */
  #readOther(at: number, field: number): number {
    if (field === SERVICE) {
      const end = this.#names.read(at, this.#known.services)
      this.service = this.#names.id
      return end
    }
    if (field === HOST) {
      const end = this.#names.read(at, this.#known.hosts)
      this.host = this.#names.id
      return end
    }
    if (field === TIME && this.#bytes[at] === QUOTE) {
      const end = this.#times.read(at + 1)
      this.values[GAUGES.length] = this.#times.value
      return end
    }
    const end = this.#numbers.read(at)
    const { value } = this.#numbers
    if (field === TIME) this.values[GAUGES.length] = Math.trunc(value)
    else if (Number.isSafeInteger(value) && value >= 1) this.values[GAUGES.length + 1] = value
    else return -1
    return end
  }
}

function fieldNamed(bytes: Uint8Array, at: number): number {
  for (let field = 0; field < FIELDS.length; field++) if (isNamed(bytes, at, FIELDS[field]!)) return field
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
