const SERVICES = 20
const HOSTS = 400
/** Every number has as many digits. */
export const FIRST_SEQ = 100_000_000
const SEQ_DIGITS = 9
/** Lines that are handed to a socket in one go. */
export const LINES_PER_WRITE = 200

/**
 * Lines of a fleet, all of one length: what differs from write to write is put in their place. Gauges that are `varied` have
 * other decimals in every line, as storage that compresses should be tried with.
 */
export class Lines {
  readonly lineBytes: number
  readonly #bytes: Buffer
  readonly #timeAt: number
  readonly #seqAt: number
  readonly #decimals: Decimals | null

  constructor(connection: number, varied = false) {
    const lines = Array.from({ length: LINES_PER_WRITE }, (_, i) => lineOf(sampleOf(connection, i)))
    const [first] = lines as [string]
    this.lineBytes = first.length
    this.#bytes = Buffer.from(lines.join(''))
    this.#timeAt = first.indexOf('1970')
    this.#seqAt = first.indexOf(String(FIRST_SEQ))
    this.#decimals = varied ? new Decimals(first) : null
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
      this.#decimals?.vary(bytes, line)
    }
    return Buffer.from(bytes)
  }
}

/** One host's sample, as text of fixed width. */
export interface Sample {
  readonly service: string
  readonly host: string
  /** In percent with three decimals. */
  readonly cpu: string
  readonly ram: string
  readonly disk: string
}

/** The sample that stands in line `i` of every write of a connection. */
export function sampleOf(connection: number, i: number): Sample {
  const n = connection * 7_919 + i * 31
  const three = (value: number) => String(value).padStart(3, '0')
  const gauge = (k: number) => (10 + ((n * k * 104_729) % 89_000) / 1_000).toFixed(3)
  return {
    service: `service-${three(n % SERVICES)}`,
    host: `host-${three(n % HOSTS)}.example`,
    cpu: gauge(1),
    ram: gauge(3),
    disk: gauge(7),
  }
}

function lineOf({ service, host, cpu, ram, disk }: Sample): string {
  const time = new Date(0).toISOString()
  const gauges = `"cpu":${cpu},"ram":${ram},"disk":${disk}`
  return `{"service":"${service}","host":"${host}","time_stamp":"${time}",${gauges},"seq":${FIRST_SEQ}}\n`
}

/** A prime, so that no host meets the same decimals soon. */
const DIGITS = 65_521

/** Puts other decimals behind the points of a line's gauges: digits drawn once, as cheap as a counter. */
export class Decimals {
  readonly #at: readonly number[]
  readonly #digits: Uint8Array
  #next = 0

  /** `line` shows where the gauges of every line stand: numbers with three decimals. */
  constructor(line: string) {
    this.#at = [...line.matchAll(/[=:]\d\d\.(?=\d{3}[,} ])/g)].map(({ index }) => index + 4)
    let state = 1
    this.#digits = Uint8Array.from({ length: DIGITS + 2 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return 0x30 + ((state >>> 16) % 10)
    })
  }

  vary(bytes: Uint8Array, line: number): void {
    const digits = this.#digits
    for (let g = 0; g < this.#at.length; g++) {
      const at = line + this.#at[g]!
      bytes[at] = digits[this.#next]!
      bytes[at + 1] = digits[this.#next + 1]!
      bytes[at + 2] = digits[this.#next + 2]!
      this.#next = (this.#next + 3) % DIGITS
    }
  }
}
