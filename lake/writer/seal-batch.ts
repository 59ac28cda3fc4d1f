import { type Accepted, pickRows } from '../../log/accepted.ts'
import type { Block } from '../../schemas/block.ts'
import { type Dataset, formOf, nameColumns } from '../../schemas/dataset.ts'
import { grown } from '../../schemas/grown.ts'
import { type Columns, fitTo } from '../../schemas/message.ts'
import { DAY_MS, utcDate } from '../../schemas/time.ts'
import type { MessageRows } from '../parquet/order.ts'
import { ROWS_FIRST, StringDraft } from '../parquet/string-draft.ts'

/** Rows of one dataset gathered from consecutive blocks, apart by UTC date: what one seal commits. */
export class SealBatch {
  readonly #dataset: Dataset
  readonly #byDay = new Map<number, Draft>()

  constructor(dataset: Dataset) {
    this.#dataset = dataset
  }

  get dates(): number {
    return this.#byDay.size
  }

  /** Adds those rows of a block of the dataset that count. Throws `E_COLUMNS` when its columns do not fit. */
  add({ block: { partition, offset, messages: all }, rows }: Accepted): void {
    const messages = fitTo(rows === null ? all : pickRows(all, rows), this.#dataset)
    let from = 0
    while (from < messages.length) {
      const day = dayOf(messages, from)
      let to = from + 1
      while (to < messages.length && dayOf(messages, to) === day) to++
      this.#draftOf(day).add({ partition, offset, messages, rows }, from, to)
      from = to
    }
  }

  #draftOf(day: number): Draft {
    let draft = this.#byDay.get(day)
    if (draft === undefined) {
      draft = new Draft(this.#dataset)
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

/** Messages of a block. */
interface Rows extends Pick<Block, 'partition' | 'offset' | 'messages'> {
  readonly rows: Uint16Array | null
}

function dayOf({ timeMs }: Columns, i: number): number {
  return Math.floor(timeMs[i]! / DAY_MS)
}

/** Rows that are being gathered, column by column, in memory that is doubled when it is full. */
class Draft {
  readonly #dataset: Dataset
  readonly #names: readonly StringDraft<string>[]
  readonly #attributes: readonly StringDraft<string | null>[]
  readonly #agent = new StringDraft<string | null>()
  /** Seq, time, the gauges, offset. */
  #doubles: Float64Array<ArrayBuffer>[]
  #partition = new Int32Array(ROWS_FIRST)
  #index = new Int32Array(ROWS_FIRST)
  #length = 0

  constructor(dataset: Dataset) {
    this.#dataset = dataset
    this.#names = nameColumns(dataset).map(() => new StringDraft())
    this.#attributes = dataset.attributes.map(() => new StringDraft())
    this.#doubles = Array.from({ length: dataset.gauges.length + 3 }, () => new Float64Array(ROWS_FIRST))
  }

  /**
   * Adds the messages `[from, to)` of a block, which are in the columns of the dataset. `rows`: their places in the block,
   * null where they are all of it.
   */
  add({ partition, offset, messages, rows }: Rows, from: number, to: number): void {
    for (const [c, draft] of this.#names.entries()) draft.add(messages.names[c]!, from, to)
    for (const [c, draft] of this.#attributes.entries()) draft.add(messages.attributes[c]!, from, to)
    this.#agent.add(messages.agent, from, to)
    const at = this.#length
    const end = at + to - from
    this.#reserve(end)
    const columns = [messages.seq, messages.timeMs, ...messages.gauges]
    for (const [c, values] of columns.entries()) this.#doubles[c]!.set(values.subarray(from, to), at)
    this.#doubles[columns.length]!.fill(offset, at, end)
    this.#partition.fill(partition, at, end)
    for (let i = from; i < to; i++) this.#index[at + i - from] = rows?.[i] ?? i
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
      form: formOf(this.#dataset),
      length,
      names: this.#names.map((draft) => draft.column()),
      attributes: this.#attributes.map((draft) => draft.column()),
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
