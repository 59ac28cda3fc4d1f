import { GAUGE_VALUE_MAX, GAUGES } from '../schemas/gauges.ts'
import { AHEAD_MS_MAX, type LineContext } from '../schemas/line.ts'
import type { Message } from '../schemas/message.ts'
import { HASH_START, hashEnd, hashWord, NAMES_FULL, type Names } from '../schemas/names.ts'
import { readDay } from './day.ts'
import { digit, two } from './digits.ts'
import { NumberReader } from './number-reader.ts'
import { LineShape } from './shape.ts'

const [QUOTE, COLON, COMMA, OPEN, CLOSE] = [0x22, 0x3a, 0x2c, 0x7b, 0x7d] as const
const [SPACE, TAB, RETURN, NEWLINE, DOT, Z] = [0x20, 0x09, 0x0d, 0x0a, 0x2e, 0x5a] as const

/** Fields by number: the gauges, in their order, then these. */
const FIELDS = [...GAUGES, 'service', 'host', 'time_stamp', 'seq'].map((name) => Buffer.from(name))
const SERVICE = GAUGES.length
const HOST = SERVICE + 1
const TIME = HOST + 1
const SEQ = TIME + 1
const REQUIRED = (1 << (SERVICE + 1)) - 1

/** Bytes that must be readable behind the newline of a line: what is looked at goes by words. */
export const READ_AHEAD_BYTES = 64

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
 * A line mostly has the shape of the line before: what stands between its values is compared with what stood there,
 * four bytes at a time (`LineShape`); only where it differs it is read token by token.
 */
export class LineDecoder {
  /** Of the line decoded last, the numbers of its names. */
  service = 0
  host = 0
  /** Gauges in their order, then time and seq (0 without). */
  readonly values = new Float64Array(GAUGES.length + 2)

  readonly #names: KnownNames
  readonly #shape = new LineShape()
  readonly #number = new NumberReader()
  readonly #minute = new MinuteMemory()
  /** The field and the name read last. */
  #field = 0
  #name = 0
  #defaultHost = ''
  #defaultHostId = -1

  constructor(names: KnownNames) {
    this.#names = names
  }

  get timeMs(): number {
    return this.values[GAUGES.length]!
  }

  get seq(): number {
    return this.values[GAUGES.length + 1]!
  }

  /** Numbers of names that were given out mean nothing any more. */
  forget(): void {
    this.#defaultHostId = -1
  }

  /** Takes a message that the complete path decoded; which names there are too many of, null when it fits. */
  take({ service, host, timeMs, gauges, seq }: Message): 'services' | 'hosts' | null {
    this.service = this.#names.services.idOf(service)
    if (this.service === NAMES_FULL) return 'services'
    this.host = this.#names.hosts.idOf(host)
    if (this.host === NAMES_FULL) return 'hosts'
    for (let g = 0; g < gauges.length; g++) this.values[g] = gauges[g]!
    this.values[GAUGES.length] = timeMs
    this.values[GAUGES.length + 1] = seq ?? 0
    return null
  }

  /** Decodes the line that begins at `from`; the place of its newline, −1 when `decodeLine` must look at it. */
  decode(view: DataView, from: number, context: LineContext): number {
    const shape = this.#shape
    let at = from
    let seen = 0
    for (let nth = 0; ; nth++) {
      let field = shape.fieldAt(view, at, nth)
      if (field < 0) {
        if (nth === FIELDS.length) return -1
        const value = this.#readKey(view, at, nth)
        if (value < 0) return -1
        field = shape.learn(view, at, value, nth, this.#field)
        at = value
      } else at += shape.lengthAt(nth)
      if (seen & (1 << field)) return -1
      seen |= 1 << field
      at = this.#readValue(view, at, field)
      if (at < 0) return -1
      const byte = view.getUint8(at)
      if (byte === COMMA) continue
      if (byte === CLOSE && view.getUint8(at + 1) === NEWLINE)
        return this.#isWhole(seen, context) ? at + 1 : -1
      at = skip(view, at)
      const next = view.getUint8(at)
      if (next === COMMA) continue
      if (next !== CLOSE) return -1
      at = skip(view, at + 1)
      return view.getUint8(at) === NEWLINE && this.#isWhole(seen, context) ? at : -1
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
      this.#defaultHostId = this.#names.hosts.idOf(senderAddress)
    }
    if (this.#defaultHostId >= 0) this.#names.hosts.touch(this.#defaultHostId)
    return this.#defaultHostId
  }

  /** Reads what stands before a value of `#field`, from the brace or comma on; where the value begins, −1 when it is not plain. */
  #readKey(view: DataView, from: number, nth: number): number {
    let at = nth === 0 ? skip(view, from) : from
    if (view.getUint8(at) !== (nth === 0 ? OPEN : COMMA)) return -1
    at = skip(view, at + 1)
    if (view.getUint8(at) !== QUOTE) return -1
    this.#field = fieldNamed(view, at + 1)
    if (this.#field < 0) return -1
    at = skip(view, at + FIELDS[this.#field]!.length + 2)
    return view.getUint8(at) === COLON ? skip(view, at + 1) : -1
  }

  /** Reads the value of `field` at `at`; where it ends, −1 when it is not plain. */
  #readValue(view: DataView, at: number, field: number): number {
    if (field < SERVICE) {
      const end = this.#number.read(view, at)
      const value = this.#number.value
      if (!(value <= GAUGE_VALUE_MAX)) return -1
      this.values[field] = value
      return end
    }
    if (field === SERVICE || field === HOST) {
      const end = this.#readName(view, at, field === SERVICE ? this.#names.services : this.#names.hosts)
      if (field === SERVICE) this.service = this.#name
      else this.host = this.#name
      return end
    }
    if (field === TIME && view.getUint8(at) === QUOTE) return this.#readTime(view, at + 1)
    const end = this.#number.read(view, at)
    const value = this.#number.value
    if (field === TIME) this.values[GAUGES.length] = Math.trunc(value)
    else if (Number.isSafeInteger(value) && value >= 1) this.values[GAUGES.length + 1] = value
    else return -1
    return end
  }

  #readName(view: DataView, at: number, names: Names): number {
    if (view.getUint8(at) !== QUOTE) return -1
    const from = at + 1
    let hash = HASH_START
    // Four bytes at a time, up to the word with the quote. Control characters are in no name that is known.
    for (let i = from; ; i += 4) {
      if (i + 4 > view.byteLength) return -1
      const word = view.getInt32(i, true)
      const ends = endOfName(word)
      if (ends === 0) {
        hash = hashWord(hash, word)
        continue
      }
      // The lowest bit that is set belongs to the first byte that ends a name.
      const bits = 31 - Math.clz32(ends & -ends) - 7
      const to = i + (bits >> 3)
      if (view.getUint8(to) !== QUOTE) return -1
      if (bits > 0) hash = hashWord(hash, word & ((1 << bits) - 1))
      const id = names.find(view, from, to, hashEnd(hash))
      if (id < 0) return -1
      names.touch(id)
      this.#name = id
      return to + 1
    }
  }

  /** `2026-11-23T10:20:30Z` or with three digits of milliseconds, up to its quote. */
  #readTime(view: DataView, at: number): number {
    const minuteMs = this.#minute.read(view, at)
    const second = two(view, at + 17)
    if (Number.isNaN(minuteMs) || view.getUint8(at + 16) !== COLON || !(second >= 0 && second <= 59))
      return -1
    let end = at + 19
    let ms = 0
    if (view.getUint8(end) === DOT) {
      ms = two(view, end + 1) * 10 + digit(view, end + 3)
      if (ms < 0) return -1
      end += 4
    }
    if (view.getUint8(end) !== Z || view.getUint8(end + 1) !== QUOTE) return -1
    this.values[GAUGES.length] = minuteMs + second * 1_000 + ms
    return end + 2
  }
}

/** The minute read last, by its sixteen characters `2026-11-23T10:20`. */
class MinuteMemory {
  readonly #words = new Int32Array(4)
  #ms = Number.NaN

  /** Milliseconds since 1970 of the minute at `at`; NaN when there is none. */
  read(view: DataView, at: number): number {
    const words = this.#words
    const same =
      view.getInt32(at + 12, true) === words[3] &&
      view.getInt32(at + 8, true) === words[2] &&
      view.getInt32(at + 4, true) === words[1] &&
      view.getInt32(at, true) === words[0]
    if (same) return this.#ms
    const hour = two(view, at + 11)
    const minute = two(view, at + 14)
    const dayMs = readDay(view, at)
    const isMinute =
      view.getUint8(at + 10) === 0x54 &&
      view.getUint8(at + 13) === COLON &&
      hour >= 0 &&
      hour <= 23 &&
      minute >= 0 &&
      minute <= 59
    if (!isMinute || Number.isNaN(dayMs)) return Number.NaN
    for (let i = 0; i < 4; i++) words[i] = view.getInt32(at + 4 * i, true)
    this.#ms = dayMs + (hour * 60 + minute) * 60_000
    return this.#ms
  }
}

/**
 * The highest bit of the first byte of `word` that is a quote or a backslash, maybe with bits of later bytes; 0 without one.
 * See Mycroft's test for a zero byte.
 */
function endOfName(word: number): number {
  const quotes = word ^ 0x22222222
  const slashes = word ^ 0x5c5c5c5c
  return (((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes)) & 0x80808080
}

function fieldNamed(view: DataView, at: number): number {
  for (let field = 0; field < FIELDS.length; field++) if (isNamed(view, at, FIELDS[field]!)) return field
  return -1
}

function isNamed(view: DataView, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (view.getUint8(at + i) !== name[i]) return false
  return view.getUint8(at + name.length) === QUOTE
}

function skip(view: DataView, from: number): number {
  let at = from
  for (let byte = view.getUint8(at); byte <= SPACE; byte = view.getUint8(++at))
    if (byte !== SPACE && byte !== TAB && byte !== RETURN) break
  return at
}
