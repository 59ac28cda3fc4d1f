import { joinKey } from './key.ts'
import { reserved } from './measures/measure.ts'
import { PairTable } from './pair-table.ts'
import type { StringColumn } from './string-column.ts'
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

interface KeyRows {
  readonly key: string
  /** In no order. */
  readonly rows: number[]
  firstMs: number
  lastMs: number
  messages: number
}

/** A column of strings whose distinct ones get numbers, the same for every column of the same key part. */
interface Numbered {
  readonly column: StringColumn<string | null>
  /** By place in the dictionary; made when first met. */
  readonly numbers: number[]
  readonly numberOf: Map<string, number>
}

/**
 * Which row a cell has: rows counted from 0 by (key, bucket). Strings become numbers once a column, and of several key
 * parts each beginning and next part become one number, so that a message costs look-ups of numbers alone.
 */
export class CellRows {
  readonly #bucketMs: number
  /** Per key part. */
  readonly #strings: readonly Map<string, number>[]
  readonly #pairs: readonly PairTable[]
  readonly #rows = new PairTable()
  /** By the number of the key. */
  readonly #keys: KeyRows[] = []
  readonly #keyOf = new Map<string, KeyRows>()
  /** Per row. */
  readonly #rowKeys: KeyRows[] = []
  times = new Float64Array()

  constructor(keyParts: number, bucketMs: number) {
    this.#bucketMs = bucketMs
    this.#strings = Array.from({ length: keyParts }, () => new Map())
    this.#pairs = Array.from({ length: keyParts - 1 }, () => new PairTable())
  }

  get size(): number {
    return this.#rowKeys.length
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
    const numbered = parts.map((column, k) => ({ column, numbers: [], numberOf: this.#strings[k]! }))
    const first = numbered[0]!
    for (let i = from; i < to; i++) {
      if (wanted !== undefined && !wanted(i)) {
        rows[i - from] = -1
        continue
      }
      let key = numberAt(first, i)
      for (let k = 1; k < numbered.length; k++) key = this.#pairs[k - 1]!.find(key, numberAt(numbered[k]!, i))
      if (key >= this.#keys.length) this.#addKey(joinKey(parts.map((part) => textAt(part, i))))
      const bucket = bucketMs === WHOLE ? 0 : Math.floor(timeMs[i]! / bucketMs)
      const row = this.#rows.find(key, bucket)
      if (row >= this.#rowKeys.length)
        this.#addRow(this.#keys[key]!, bucketMs === WHOLE ? 0 : bucket * bucketMs)
      rows[i - from] = row
    }
  }

  /** The rows of one key (`joinKey`), whose parts are not looked at. */
  findOf(
    key: string,
    timeMs: Float64Array,
    at: { from: number; to: number; bucketMs?: number },
    rows: Int32Array,
  ) {
    this.find([{ dictionary: [key], places: new Uint16Array(at.to) }], timeMs, at, rows)
  }

  #addKey(key: string): void {
    const rows = {
      key,
      rows: [],
      firstMs: Number.POSITIVE_INFINITY,
      lastMs: Number.NEGATIVE_INFINITY,
      messages: 0,
    }
    this.#keys.push(rows)
    this.#keyOf.set(key, rows)
  }

  #addRow(key: KeyRows, startMs: number): void {
    const row = this.#rowKeys.push(key) - 1
    this.times = reserved(this.times, row + 1, 0)
    this.times[row] = startMs
    key.rows.push(row)
    if (startMs < key.firstMs) key.firstMs = startMs
    if (startMs > key.lastMs) key.lastMs = startMs
  }

  /** So many more messages are in a row. */
  count(row: number, messages: number): void {
    this.#rowKeys[row]!.messages += messages
  }

  keyAt(row: number): string {
    return this.#rowKeys[row]!.key
  }

  summaries(): Iterable<KeySummary> {
    return this.#keys
  }

  summary(key: string): KeySummary | null {
    return this.#keyOf.get(key) ?? null
  }

  /** The rows of `wanted` keys whose bucket starts in `[fromMs, toMs)`: by key as UTF-8 bytes, then by time. */
  within(wanted: WantedKeys, fromMs: number, toMs: number): Uint32Array {
    const all = wanted === null ? this.#keys : [wanted].flat().map((key) => this.#keyOf.get(key))
    const keys = all.filter(
      (one) => one !== undefined && one.lastMs >= fromMs && one.firstMs < toMs,
    ) as KeyRows[]
    if (keys.length > 1) keys.sort((a, b) => compareUtf8(a.key, b.key))
    const { times } = this
    const rows: number[] = []
    for (const one of keys) {
      const own = one.rows.filter((row) => times[row]! >= fromMs && times[row]! < toMs)
      // They mostly come in order.
      if (own.some((row, i) => i > 0 && times[own[i - 1]!]! > times[row]!))
        own.sort((a, b) => times[a]! - times[b]!)
      for (const row of own) rows.push(row)
    }
    return Uint32Array.from(rows)
  }
}

function numberAt({ column, numbers, numberOf }: Numbered, i: number): number {
  const place = column.places[i]!
  return numbers[place] ?? learn(column.dictionary[place] ?? '', place, numbers, numberOf)
}

function learn(text: string, place: number, numbers: number[], numberOf: Map<string, number>): number {
  let number = numberOf.get(text)
  if (number === undefined) {
    number = numberOf.size
    numberOf.set(text, number)
  }
  numbers[place] = number
  return number
}

function textAt({ dictionary, places }: StringColumn<string | null>, i: number): string {
  return dictionary[places[i]!] ?? ''
}
