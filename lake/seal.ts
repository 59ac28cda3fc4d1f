import type { Block } from '../schemas/block.ts'
import { GAUGES } from '../schemas/gauges.ts'
import type { Columns } from '../schemas/message.ts'
import { DAY_MS, utcDate } from '../schemas/view.ts'
import type { MessageRows } from './parquet/order.ts'

/** Rows of `messages` gathered from consecutive blocks, apart by UTC date: what one seal commits. */
export class SealBatch {
  readonly #byDay = new Map<number, Draft>()
  rows = 0

  get dates(): number {
    return this.#byDay.size
  }

  add({ partition, offset, messages }: Block): void {
    let draft: Draft | undefined
    let ofDay = Number.NaN
    for (let i = 0; i < messages.length; i++) {
      const day = Math.floor(messages.timeMs[i]! / DAY_MS)
      if (day !== ofDay || draft === undefined) {
        draft = this.#draftOf(day)
        ofDay = day
      }
      draft.add(messages, i)
      draft.partition.push(partition)
      draft.offset.push(offset)
      draft.index.push(i)
    }
    this.rows += messages.length
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

/** Rows that are being gathered, column by column. */
class Draft {
  readonly #service: string[] = []
  readonly #host: string[] = []
  readonly #agent: (string | null)[] = []
  readonly #seq: (number | null)[] = []
  readonly #timeMs: number[] = []
  readonly #gauges: number[][] = GAUGES.map(() => [])
  readonly partition: number[] = []
  readonly offset: number[] = []
  readonly index: number[] = []

  add({ service, host, agent, seq, timeMs, gauges }: Columns, i: number): void {
    this.#service.push(service[i]!)
    this.#host.push(host[i]!)
    this.#agent.push(agent[i]!)
    this.#seq.push(seq[i]!)
    this.#timeMs.push(timeMs[i]!)
    for (let g = 0; g < gauges.length; g++) this.#gauges[g]!.push(gauges[g]![i]!)
  }

  rows(): MessageRows {
    const { partition, offset, index } = this
    const columns = {
      length: index.length,
      service: this.#service,
      host: this.#host,
      agent: this.#agent,
      seq: this.#seq,
      timeMs: this.#timeMs,
      gauges: this.#gauges,
    }
    return { columns, partition, offset, index }
  }
}
