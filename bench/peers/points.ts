import { Decimals, sampleOf } from '../ingest/lines.ts'

/** Of the number that makes a point's nanoseconds its own. */
const NUMBER_DIGITS = 6
const NUMBER_MAX = 10 ** NUMBER_DIGITS
const EPOCH = '0'.repeat(13)
const TEMPLATE_LINES = 200

/**
 * The ingest benchmark's samples in InfluxDB's line protocol, at the same cost: rendered once, then the time, a number that
 * keeps two points of one series apart, and the decimals are put in their place.
 */
export class Points {
  readonly #bytes: Buffer
  readonly #lineBytes: number
  readonly #timeAt: number
  readonly #decimals: Decimals
  #number: number

  constructor(connection: number, lines: number) {
    const rendered = Array.from({ length: lines }, (_, i) => {
      const { service, host, cpu, ram, disk } = sampleOf(connection, i % TEMPLATE_LINES)
      const time = EPOCH + '0'.repeat(NUMBER_DIGITS)
      return `gauges,service=${service},host=${host} cpu=${cpu},ram=${ram},disk=${disk} ${time}\n`
    })
    const [first] = rendered as [string]
    this.#bytes = Buffer.from(rendered.join(''))
    this.#lineBytes = first.length
    this.#timeAt = first.indexOf(EPOCH)
    this.#decimals = new Decimals(first)
    this.#number = connection * 1_009
  }

  /** The next points, at `nowMs`: a copy, for the socket keeps it. */
  next(nowMs: number): Buffer {
    const time = Buffer.from(String(nowMs))
    const bytes = this.#bytes
    for (let line = 0; line < bytes.length; line += this.#lineBytes) {
      bytes.set(time, line + this.#timeAt)
      this.#number = (this.#number + 1) % NUMBER_MAX
      let rest = this.#number
      const from = line + this.#timeAt + time.length
      for (let at = from + NUMBER_DIGITS - 1; at >= from; at--) {
        bytes[at] = 0x30 + (rest % 10)
        rest = Math.floor(rest / 10)
      }
      this.#decimals.vary(bytes, line)
    }
    return Buffer.from(bytes)
  }
}
