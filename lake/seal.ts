import type { Block } from '../schemas/block.ts'
import { GAUGES } from '../schemas/gauges.ts'
import type { Columns } from '../schemas/message.ts'
import { DAY_MS, utcDate } from '../schemas/view.ts'
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

/** Rows that are being gathered, column by column. */
class Draft {
  readonly #service = new StringDraft<string>()
  readonly #host = new StringDraft<string>()
  readonly #agent = new StringDraft<string | null>()
  readonly #seq: number[] = []
  readonly #timeMs: number[] = []
  readonly #gauges: number[][] = GAUGES.map(() => [])
  readonly #partition: number[] = []
  readonly #offset: number[] = []
  readonly #index: number[] = []

  /** Adds the messages `[from, to)` of a block. */
  add({ partition, offset, messages }: Block, from: number, to: number): void {
    this.#service.add(messages.service, from, to)
    this.#host.add(messages.host, from, to)
    this.#agent.add(messages.agent, from, to)
    for (let i = from; i < to; i++) {
      this.#seq.push(messages.seq[i]!)
      this.#timeMs.push(messages.timeMs[i]!)
      this.#partition.push(partition)
      this.#offset.push(offset)
      this.#index.push(i)
    }
    for (let g = 0; g < this.#gauges.length; g++) {
      const values = messages.gauges[g]!
      for (let i = from; i < to; i++) this.#gauges[g]!.push(values[i]!)
    }
  }

  rows(): MessageRows {
    const columns = {
      length: this.#index.length,
      service: this.#service.column(),
      host: this.#host.column(),
      agent: this.#agent.column(),
      seq: new Float64Array(this.#seq),
      timeMs: new Float64Array(this.#timeMs),
      gauges: this.#gauges.map((values) => new Float64Array(values)),
    }
    return {
      columns,
      partition: new Int32Array(this.#partition),
      offset: new Float64Array(this.#offset),
      index: new Int32Array(this.#index),
    }
  }
}
