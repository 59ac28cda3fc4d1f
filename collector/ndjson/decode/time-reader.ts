import { MINUTE_MS } from '../../../schemas/time.ts'
import { readDay } from './day.ts'
import { digit, two } from './digits.ts'
import type { LineBuffer } from './line-buffer.ts'

const [QUOTE, DOT, COLON, T, Z] = [0x22, 0x2e, 0x3a, 0x54, 0x5a] as const

/** Reads times like `2026-11-23T10:20:30Z`, or with three digits of milliseconds. */
export class TimeReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  /** The minute read last, as its sixteen characters `2026-11-23T10:20`: most likely it is the next time's too. */
  readonly #minute = new Int32Array(4)
  #minuteMs = Number.NaN
  /** The time read last, milliseconds since 1970. */
  value = 0

  constructor({ bytes, view }: LineBuffer) {
    this.#bytes = bytes
    this.#view = view
  }

  /** Reads the time at `at` and its closing quote. Returns where it ends, −1 when it is none or has another form. */
  read(at: number): number {
    const bytes = this.#bytes
    if (!this.#isSameMinute(at) && !this.#readMinute(at)) return -1
    const second = two(bytes, at + 17)
    if (bytes[at + 16] !== COLON || !(second >= 0 && second <= 59)) return -1
    let end = at + 19
    let ms = 0
    if (bytes[end] === DOT) {
      ms = two(bytes, end + 1) * 10 + digit(bytes, end + 3)
      if (ms < 0) return -1
      end += 4
    }
    if (bytes[end] !== Z || bytes[end + 1] !== QUOTE) return -1
    this.value = this.#minuteMs + second * 1_000 + ms
    return end + 2
  }

  #isSameMinute(at: number): boolean {
    const view = this.#view
    const minute = this.#minute
    return (
      view.getInt32(at + 12, true) === minute[3] &&
      view.getInt32(at + 8, true) === minute[2] &&
      view.getInt32(at + 4, true) === minute[1] &&
      view.getInt32(at, true) === minute[0]
    )
  }

  #readMinute(at: number): boolean {
    const bytes = this.#bytes
    const hour = two(bytes, at + 11)
    const minute = two(bytes, at + 14)
    const dayMs = readDay(bytes, at)
    const isClock = bytes[at + 10] === T && bytes[at + 13] === COLON
    const isMinute = isClock && hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59
    if (!isMinute || Number.isNaN(dayMs)) return false
    for (let i = 0; i < 4; i++) this.#minute[i] = this.#view.getInt32(at + 4 * i, true)
    this.#minuteMs = dayMs + (hour * 60 + minute) * MINUTE_MS
    return true
  }
}
