import { FIRST_SEQ, sampleOf } from '../ingest/lines.ts'

const SERVICES = 20
const AGENT_DIGITS = 5
const SERVICE_DIGITS = 3
const SEQ_DIGITS = 9
/** Messages that an agent writes in one go. */
export const BATCH_MAX = 100

/** Messages of numbered agents, one a second each: lines of one length, in which agent, time and number are put in place. */
export class Messages {
  readonly lineBytes: number
  readonly #bytes: Buffer
  readonly #at: {
    readonly service: number
    readonly host: number
    readonly time: number
    readonly seq: number
  }
  readonly #times: readonly Buffer[]

  /** Message 1 of every agent is of the second behind `startMs`; there are `messages` of each. */
  constructor(startMs: number, messages: number) {
    const { cpu, ram, disk } = sampleOf(1, 1)
    const names = `"service":"service-000","host":"agent-00000.example"`
    const time = new Date(0).toISOString()
    const line = `{${names},"time_stamp":"${time}","cpu":${cpu},"ram":${ram},"disk":${disk},"seq":${FIRST_SEQ}}\n`
    this.lineBytes = line.length
    this.#bytes = Buffer.from(line.repeat(BATCH_MAX))
    this.#at = {
      service: line.indexOf('000"'),
      host: line.indexOf('00000'),
      time: line.indexOf('1970'),
      seq: line.indexOf(String(FIRST_SEQ)),
    }
    this.#times = Array.from({ length: messages + 1 }, (_, n) =>
      Buffer.from(new Date(startMs + n * 1_000).toISOString()),
    )
  }

  /** Messages `from` to `from + count - 1` of an agent, counted from 1: a copy, for the socket keeps it. */
  of(agent: number, from: number, count: number): Buffer {
    const bytes = this.#bytes
    for (let i = 0; i < count; i++) {
      const line = i * this.lineBytes
      put(bytes, line + this.#at.service, SERVICE_DIGITS, agent % SERVICES)
      put(bytes, line + this.#at.host, AGENT_DIGITS, agent)
      bytes.set(this.#times[from + i]!, line + this.#at.time)
      put(bytes, line + this.#at.seq, SEQ_DIGITS, FIRST_SEQ + from + i)
    }
    return Buffer.from(bytes.subarray(0, count * this.lineBytes))
  }
}

function put(bytes: Buffer, from: number, digits: number, value: number): void {
  let rest = value
  for (let at = from + digits - 1; at >= from; at--) {
    bytes[at] = 0x30 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}
