import type { Block } from '../schemas/block.ts'
import { GAUGES } from '../schemas/gauges.ts'
import type { Columns } from '../schemas/message.ts'
import { DAY_MS, utcDate } from '../schemas/view.ts'
import { grown, ROWS_FIRST } from './grown.ts'
import type { MessageRows } from './parquet/order.ts'
import { StringDraft } from './string-draft.ts'

/** Rows of `messages` gathered from consecutive blocks, apart by UTC date: what one seal commits. */
export class SealBatch {
  readonly #byDay = new Map<number, Draft>()

  get dates(): number {
    return this.#byDay.size
  }

  add(block: Block): void {
    const { messages } = block
    let from = 0
    while (from < messages.length) {
      const day = dayOf(messages, from)
      let to = from + 1
      while (to < messages.length && dayOf(messages, to) === day) to++
      this.#draftOf(day).add(block, from, to)
      from = to
    }
  }

  #draftOf(day: number): Draft {
    let draft = this.#byDay.get(day)
    if (draft === undefined) {
      draft = new Draft()
      this.#byDay.set(day, draft)
    }
    return draft
  }

  /** The rows of each date, dates ascending. */
  byDate(): [date: string, rows: MessageRows][] {
    return [...this.#byDay]
      .sort(([a], [b]) => a - b)
      .map(([day, draft]) => [utcDate(day * DAY_MS), draft.rows()])
  }
}

function dayOf({ timeMs }: Columns, i: number): number {
  return Math.floor(timeMs[i]! / DAY_MS)
}

/** Rows that are being gathered, column by column, in memory that is doubled when it is full. */
class Draft {
  readonly #service = new StringDraft<string>()
  readonly #host = new StringDraft<string>()
  readonly #agent = new StringDraft<string | null>()
  /** Seq, time, the gauges, offset. */
  #doubles = Array.from({ length: GAUGES.length + 3 }, () => new Float64Array(ROWS_FIRST))
  #partition = new Int32Array(ROWS_FIRST)
  #index = new Int32Array(ROWS_FIRST)
  #length = 0

  /** Adds the messages `[from, to)` of a block. */
  add({ partition, offset, messages }: Block, from: number, to: number): void {
    this.#service.add(messages.service, from, to)
    this.#host.add(messages.host, from, to)
    this.#agent.add(messages.agent, from, to)
    const at = this.#length
    const end = at + to - from
    this.#reserve(end)
    const columns = [messages.seq, messages.timeMs, ...messages.gauges]
    for (const [c, values] of columns.entries()) this.#doubles[c]!.set(values.subarray(from, to), at)
    this.#doubles[columns.length]!.fill(offset, at, end)
    this.#partition.fill(partition, at, end)
    for (let i = from; i < to; i++) this.#index[at + i - from] = i
    this.#length = end
  }

  #reserve(rows: number): void {
    if (rows <= this.#index.length) return
    this.#doubles = this.#doubles.map((values) => grown(values, rows))
    this.#partition = grown(this.#partition, rows)
    this.#index = grown(this.#index, rows)
  }

  rows(): MessageRows {
    const length = this.#length
    const [seq, timeMs, ...others] = this.#doubles.map((values) => values.subarray(0, length))
    const columns = {
      length,
      service: this.#service.column(),
      host: this.#host.column(),
      agent: this.#agent.column(),
      seq: seq!,
      timeMs: timeMs!,
      gauges: others.slice(0, -1),
    }
    return {
      columns,
      partition: this.#partition.subarray(0, length),
      offset: others.at(-1)!,
      index: this.#index.subarray(0, length),
    }
  }
}
