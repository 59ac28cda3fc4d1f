import { joinKey, splitKey } from './key.ts'
import { reserved } from './measures/measure.ts'
import { PairTable } from './pair-table.ts'
import { type StringColumn, toStringColumn } from './string-column.ts'
import { compareUtf8 } from './utf8.ts'

/** What is known of one key without a look at its cells. */
export interface KeySummary {
  readonly key: string
  /** Starts of its first and last buckets, milliseconds since 1970. */
  readonly firstMs: number
  readonly lastMs: number
  readonly messages: number
}

/** What is known of a key of which two parts are known. */
export function joinSummaries(a: KeySummary | undefined, b: KeySummary): KeySummary {
  return {
    key: b.key,
    firstMs: Math.min(a?.firstMs ?? b.firstMs, b.firstMs),
    lastMs: Math.max(a?.lastMs ?? b.lastMs, b.lastMs),
    messages: (a?.messages ?? 0) + b.messages,
  }
}

/** One key, some, or all where it is null. */
export type WantedKeys = string | readonly string[] | null

/** As the length of a bucket: everything goes into one, which starts at 0. */
export const WHOLE = Number.POSITIVE_INFINITY

/** The distinct strings of a key part, numbered from 0. */
class Texts {
  readonly all: string[] = []
  readonly #numberOf = new Map<string, number>()

  /** The number of a string, given now where it had none. */
  learn(text: string): number {
    let number = this.#numberOf.get(text)
    if (number === undefined) {
      number = this.all.push(text) - 1
      this.#numberOf.set(text, number)
    }
    return number
  }

  /** The number of a string; −1 where it has none. */
  find(text: string): number {
    return this.#numberOf.get(text) ?? -1
  }
}

/** A column of strings whose distinct ones get numbers, the same for every column of the same key part. */
interface Numbered {
  readonly column: StringColumn<string | null>
  /** By place in the dictionary; made when first met. */
  readonly numbers: number[]
  readonly texts: Texts
}

/**
 * Which row a cell has: rows counted from 0 by (key, bucket). Strings become numbers once a column, and of several key
 * parts each beginning and next part become one number, so that a message costs look-ups of numbers alone. There is no
 * object a key or row, since there may be a million; the rows of a key are a list of numbers:
 *
 *     key ──▶ first row ──▶ next ──▶ last row ◀── key
 */
export class CellRows {
  readonly #bucketMs: number
  readonly #texts: readonly Texts[]
  readonly #pairs: readonly PairTable[]
  readonly #rows: PairTable
  /** How many columns keys were looked up by: those of the view, or one that holds joined keys. */
  #parts = 0
  /** Per key. Rows are counted from 1 here, 0 being none. */
  #first = new Int32Array()
  #last = new Int32Array()
  #firstMs = new Float64Array()
  #lastMs = new Float64Array()
  #messages = new Float64Array()
  #keys = 0
  /** Per row its key, and the next row of that key, counted from 1. */
  #keyOf: Int32Array
  #next: Int32Array
  #size = 0
  times: Float64Array

  /** `room`: how many rows are expected. */
  constructor(keyParts: number, bucketMs: number, room: number) {
    this.#bucketMs = bucketMs
    this.#rows = new PairTable(room)
    this.times = new Float64Array(room)
    this.#keyOf = new Int32Array(room)
    this.#next = new Int32Array(room)
    this.#texts = Array.from({ length: keyParts }, () => new Texts())
    this.#pairs = Array.from({ length: keyParts - 1 }, () => new PairTable())
  }

  get size(): number {
    return this.#size
  }

  /**
   * Writes the rows of what lies at `timeMs[from]` to `timeMs[to]`, keyed by `parts`, into `rows`, each under its index
   * less `from`; −1 where it is not wanted.
   */
  find(
    parts: readonly StringColumn<string | null>[],
    timeMs: Float64Array,
    { from, to, bucketMs = this.#bucketMs }: { from: number; to: number; bucketMs?: number },
    rows: Int32Array,
    wanted?: (i: number) => boolean,
  ): void {
    this.#parts = parts.length
    const numbered = parts.map((column, k) => ({ column, numbers: [], texts: this.#texts[k]! }))
    const first = numbered[0]!
    for (let i = from; i < to; i++) {
      if (wanted !== undefined && !wanted(i)) {
        rows[i - from] = -1
        continue
      }
      let key = numberAt(first, i)
      for (let k = 1; k < numbered.length; k++) key = this.#pairs[k - 1]!.find(key, numberAt(numbered[k]!, i))
      rows[i - from] = this.#rowOf(key, timeMs, i, bucketMs)
    }
  }

  /** The rows of one key (`joinKey`), whose parts are not looked at. */
  findOf(
    key: string,
    timeMs: Float64Array,
    { from, to, bucketMs = this.#bucketMs }: { from: number; to: number; bucketMs?: number },
    rows: Int32Array,
  ): void {
    this.#parts = 1
    if (from >= to) return
    const number = this.#texts[0]!.learn(key)
    if (bucketMs === WHOLE) rows.fill(this.#rowOf(number, timeMs, from, bucketMs), 0, to - from)
    else for (let i = from; i < to; i++) rows[i - from] = this.#rowOf(number, timeMs, i, bucketMs)
  }

  /** The row of what lies at `timeMs[i]`. */
  #rowOf(key: number, timeMs: Float64Array, i: number, bucketMs: number): number {
    if (key >= this.#keys) this.#addKey()
    const bucket = bucketMs === WHOLE ? 0 : Math.floor(timeMs[i]! / bucketMs)
    const row = this.#rows.find(key, bucket)
    if (row >= this.#size) this.#addRow(key, bucketMs === WHOLE ? 0 : bucket * bucketMs)
    return row
  }

  /** Keys are numbered in the order in which they are met, as the last of `#pairs` or the only of `#texts` does it. */
  #addKey(): void {
    const key = this.#keys++
    this.#first = reserved(this.#first, this.#keys)
    this.#last = reserved(this.#last, this.#keys)
    this.#firstMs = reserved(this.#firstMs, this.#keys)
    this.#lastMs = reserved(this.#lastMs, this.#keys)
    this.#messages = reserved(this.#messages, this.#keys)
    this.#firstMs[key] = Number.POSITIVE_INFINITY
    this.#lastMs[key] = Number.NEGATIVE_INFINITY
  }

  #addRow(key: number, startMs: number): void {
    const row = this.#size++
    this.times = reserved(this.times, this.#size)
    this.#keyOf = reserved(this.#keyOf, this.#size)
    this.#next = reserved(this.#next, this.#size)
    this.times[row] = startMs
    this.#keyOf[row] = key
    const last = this.#last[key]!
    if (last === 0) this.#first[key] = row + 1
    else this.#next[last - 1] = row + 1
    this.#last[key] = row + 1
    if (startMs < this.#firstMs[key]!) this.#firstMs[key] = startMs
    if (startMs > this.#lastMs[key]!) this.#lastMs[key] = startMs
  }

  /** So many more messages are in a row. */
  count(row: number, messages: number): void {
    this.#messages[this.#keyOf[row]!]! += messages
  }

  /** What is known of every key, in no order. */
  *summaries(): Generator<KeySummary> {
    for (let key = 0; key < this.#keys; key++) yield this.#summaryOf(key)
  }

  summary(key: string): KeySummary | null {
    const number = this.#numberOf(key)
    return number < 0 ? null : this.#summaryOf(number)
  }

  #summaryOf(key: number): KeySummary {
    return {
      key: this.#textOf(key),
      firstMs: this.#firstMs[key]!,
      lastMs: this.#lastMs[key]!,
      messages: this.#messages[key]!,
    }
  }

  /** The number of a key (`joinKey`); −1 where it has none. */
  #numberOf(key: string): number {
    if (this.#parts <= 1) return this.#texts[0]!.find(key)
    const values = splitKey(key)
    let number = values.length === this.#parts ? this.#texts[0]!.find(values[0]!) : -1
    for (let k = 1; k < this.#parts && number >= 0; k++) {
      const next = this.#texts[k]!.find(values[k]!)
      number = next < 0 ? -1 : this.#pairs[k - 1]!.get(number, next)
    }
    return number
  }

  /** The key of a number (`joinKey`). */
  #textOf(key: number): string {
    if (this.#parts <= 1) return this.#texts[0]!.all[key]!
    const values: string[] = []
    for (let k = this.#parts - 1; k >= 0; k--) values[k] = this.#texts[k]!.all[this.#partOf(key, k)]!
    return joinKey(values)
  }

  /** The number of part `k` of a key. */
  #partOf(key: number, k: number): number {
    let beginning = key
    for (let level = this.#parts - 2; level >= k; level--) beginning = this.#pairs[level]!.firstOf(beginning)
    if (k === 0) return beginning
    if (k === this.#parts - 1) return this.#pairs[k - 1]!.secondOf(key)
    return this.#pairs[k - 1]!.secondOf(beginning)
  }

  /** The key of each of `rows` as columns of `keyParts` parts. */
  keyColumns(rows: Uint32Array, keyParts: number): StringColumn[] {
    if (this.#parts !== keyParts) {
      // They were looked up as joined keys.
      const values = Array.from(rows, (row) => splitKey(this.#textOf(this.#keyOf[row]!)))
      return Array.from({ length: keyParts }, (_, k) => toStringColumn(values.map((parts) => parts[k]!)))
    }
    return this.#texts.map(({ all }, k) => {
      const places = new Uint32Array(rows.length)
      for (let i = 0; i < rows.length; i++) places[i] = this.#partOf(this.#keyOf[rows[i]!]!, k)
      if (rows.length >= all.length) return { dictionary: all, places }
      return toStringColumn(Array.from(places, (place) => all[place]!))
    })
  }

  /** The rows of `wanted` keys whose bucket starts in `[fromMs, toMs)`: by key as UTF-8 bytes, then by time. */
  within(wanted: WantedKeys, fromMs: number, toMs: number): Uint32Array {
    const numbers =
      wanted === null
        ? Array.from({ length: this.#keys }, (_, key) => key)
        : [wanted].flat().map((key) => this.#numberOf(key))
    const keys = numbers.filter(
      (key) => key >= 0 && this.#lastMs[key]! >= fromMs && this.#firstMs[key]! < toMs,
    )
    const { times } = this
    const rows: number[] = []
    for (const key of this.#sorted(keys)) {
      const begin = rows.length
      let isSorted = true
      for (let row = this.#first[key]! - 1; row >= 0; row = this.#next[row]! - 1) {
        const timeMs = times[row]!
        if (timeMs < fromMs || timeMs >= toMs) continue
        if (rows.length > begin && times[rows.at(-1)!]! > timeMs) isSorted = false
        rows.push(row)
      }
      // They mostly come in order.
      if (!isSorted)
        for (const row of rows.splice(begin).sort((a, b) => times[a]! - times[b]!)) rows.push(row)
    }
    return Uint32Array.from(rows)
  }

  /** Keys in the order of their UTF-8 bytes. */
  #sorted(keys: number[]): readonly number[] {
    if (keys.length < 2) return keys
    const texts = new Map(keys.map((key) => [key, this.#textOf(key)]))
    return keys.sort((a, b) => compareUtf8(texts.get(a)!, texts.get(b)!))
  }
}

function numberAt({ column, numbers, texts }: Numbered, i: number): number {
  const place = column.places[i]!
  let number = numbers[place]
  if (number === undefined) {
    number = texts.learn(column.dictionary[place] ?? '')
    numbers[place] = number
  }
  return number
}
