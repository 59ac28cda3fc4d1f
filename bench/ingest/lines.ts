const SERVICES = 20
const HOSTS = 400
/** Every number has as many digits. */
export const FIRST_SEQ = 100_000_000
const SEQ_DIGITS = 9
/** Lines that are handed to a socket in one go. */
export const LINES_PER_WRITE = 200

/** Lines of a fleet, all of one length: what differs from write to write is put in their place. */
export class Lines {
  readonly lineBytes: number
  readonly #bytes: Buffer
  readonly #timeAt: number
  readonly #seqAt: number

  constructor(connection: number) {
    const lines = Array.from({ length: LINES_PER_WRITE }, (_, i) => lineOf(connection * 7_919 + i * 31))
    const [first] = lines as [string]
    this.lineBytes = first.length
    this.#bytes = Buffer.from(lines.join(''))
    this.#timeAt = first.indexOf('1970')
    this.#seqAt = first.indexOf(String(FIRST_SEQ))
  }

  /** The next lines, numbered from `seq`: a copy, for the socket keeps it. */
  next(seq: number, nowMs: number): Buffer {
    const time = Buffer.from(new Date(nowMs).toISOString())
    const bytes = this.#bytes
    for (let i = 0; i < LINES_PER_WRITE; i++) {
      const line = i * this.lineBytes
      bytes.set(time, line + this.#timeAt)
      let rest = seq + i
      for (let at = line + this.#seqAt + SEQ_DIGITS - 1; at >= line + this.#seqAt; at--) {
        bytes[at] = 0x30 + (rest % 10)
        rest = Math.floor(rest / 10)
      }
    }
    return Buffer.from(bytes)
  }
}

function lineOf(n: number): string {
  const three = (value: number) => String(value).padStart(3, '0')
  const gauge = (k: number) => (10 + ((n * k * 104_729) % 89_000) / 1_000).toFixed(3)
  const time = new Date(0).toISOString()
  const names = `"service":"service-${three(n % SERVICES)}","host":"host-${three(n % HOSTS)}.example"`
  const gauges = `"cpu":${gauge(1)},"ram":${gauge(3)},"disk":${gauge(7)}`
  return `{${names},"time_stamp":"${time}",${gauges},"seq":${FIRST_SEQ}}\n`
}
