import type { Block } from '../schemas/block.ts'
import type { Columns } from '../schemas/message.ts'
import { utcDate } from '../schemas/view.ts'
import type { MessageRows } from './parquet/messages.ts'

/** Rows of `messages` gathered from consecutive blocks, apart by UTC date: what one seal commits. */
export class SealBatch {
  readonly #byDate = new Map<string, Draft>()
  rows = 0

  get dates(): number {
    return this.#byDate.size
  }

  add(block: Block): void {
    for (let i = 0; i < block.messages.length; i++) {
      const date = utcDate(block.messages.timeMs[i]!)
      let draft = this.#byDate.get(date)
      if (draft === undefined) {
        draft = emptyDraft(block.messages.gauges.length)
        this.#byDate.set(date, draft)
      }
      pushRow(draft, block, i)
    }
    this.rows += block.messages.length
  }

  /** The rows of each date, dates ascending. */
  byDate(): [date: string, rows: MessageRows][] {
    return [...this.#byDate]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([date, draft]) => [date, toRows(draft)])
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] }

interface Draft {
  columns: Omit<Mutable<Columns>, 'length' | 'gauges'> & { gauges: number[][] }
  partition: number[]
  offset: number[]
  index: number[]
}

function emptyDraft(gauges: number): Draft {
  return {
    columns: {
      service: [],
      host: [],
      agent: [],
      seq: [],
      timeMs: [],
      gauges: Array.from({ length: gauges }, () => []),
    },
    partition: [],
    offset: [],
    index: [],
  }
}

function pushRow(draft: Draft, block: Block, i: number): void {
  const { columns } = draft
  const { messages } = block
  columns.service.push(messages.service[i]!)
  columns.host.push(messages.host[i]!)
  columns.agent.push(messages.agent[i]!)
  columns.seq.push(messages.seq[i]!)
  columns.timeMs.push(messages.timeMs[i]!)
  messages.gauges.forEach((values, g) => {
    columns.gauges[g]!.push(values[i]!)
  })
  draft.partition.push(block.partition)
  draft.offset.push(block.offset)
  draft.index.push(i)
}

function toRows({ columns, partition, offset, index }: Draft): MessageRows {
  return { columns: { ...columns, length: index.length }, partition, offset, index }
}
