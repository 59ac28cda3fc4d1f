import type { Block } from '../../../schemas/block.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { type Message, messageAt, toColumns } from '../../../schemas/message.ts'
import type { SimClock } from '../../sim/clock.ts'
import { Oracle } from '../oracle.ts'

/** Blocks without numbers whose ids count; a history has fewer. */
const IDS_MAX = 10_000

/** Which messages of the log count, by the plainest of rules: each once. */
export class Accepted {
  readonly oracle = new Oracle()
  /** `partition/offset/row` of every message that counts. */
  readonly rows = new Set<string>()
  repeats = 0
  readonly #clock: SimClock
  readonly #numbers = new Set<string>()
  readonly #ids: string[] = []

  constructor(clock: SimClock) {
    this.#clock = clock
  }

  record(block: Block): void {
    const { partition, offset, messages, id } = block
    const seen = id != null && this.#ids.slice(-IDS_MAX).includes(`${partition}/${id}`)
    if (id != null && !seen) this.#ids.push(`${partition}/${id}`)
    const counted: Message[] = []
    for (let i = 0; i < messages.length; i++) {
      const message = messageAt(messages, i)
      if (seen || this.#isRepeat(message)) {
        this.repeats += 1
        continue
      }
      counted.push(message)
      this.rows.add(`${partition}/${offset}/${i}`)
    }
    this.oracle.record({ ...block, messages: toColumns(host, counted) }, this.#clock.passedMs)
  }

  #isRepeat({ agent, seq }: Message): boolean {
    if (agent === null) return false
    const number = `${agent}/${seq}`
    const isKnown = this.#numbers.has(number)
    this.#numbers.add(number)
    return isKnown
  }
}
