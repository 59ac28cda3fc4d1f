import { CellFold } from '../schemas/cell-fold.ts'
import { type KeySummary, WHOLE } from '../schemas/cell-rows.ts'
import { type Cells, keyAt, timesOf } from '../schemas/cells.ts'
import { answersOf, emptyAnswers } from '../schemas/gauge-answer.ts'
import { DAY_MS, utcDate } from '../schemas/time.ts'
import { compareUtf8 } from '../schemas/utf8.ts'
import type { Range, Stats } from './answers.ts'
import { coarsestWithin, type Level, type LevelRange, planRanges } from './index/levels.ts'
import type { IndexedDate } from './index/view-index.ts'
import { type Moment, wholeOf } from './moment.ts'

/** Where batch cells are read: chunks of the index, and the minutes of dates before it holds them. */
export interface BatchCells {
  /** The rows of `key` in a date at a level; null where it has none. */
  read(date: IndexedDate, key: string, level: Level): Cells | null
}

/** The cells of `key` in `range` from every layer, in whatever order; batch cells at the coarsest level that will do. */
function addCells(
  into: CellFold,
  at: Moment,
  batch: BatchCells,
  key: string,
  range: Range,
  stepMs: number,
): void {
  const options = { bucketMs: stepMs, key }
  addBatch(into, at, batch, key, range, options)
  for (const cells of realtime(at, key, range)) into.merge(cells, options)
}

function addBatch(
  into: CellFold,
  at: Moment,
  batch: BatchCells,
  key: string,
  range: Range,
  options: { readonly bucketMs: number; readonly key?: string },
): void {
  const { bucketMs: stepMs } = options
  const known = at.index.keys.get(key)
  if (known === undefined) return
  // Beyond what the key has there is nothing to look for.
  const fromMs = Math.max(range.fromMs, known.firstMs)
  const toMs = Math.min(range.toMs, known.lastMs + at.index.view.bucketMs)
  const whole = { fromMs: dayFloor(fromMs, range.fromMs), toMs: dayCeil(toMs, range.toMs) }
  const coarsest = stepMs === WHOLE ? 2 : coarsestWithin(stepMs)
  for (const part of planRanges(whole.fromMs, whole.toMs, coarsest)) {
    for (const date of datesOf(at, part)) {
      const cells = batch.read(date, key, part.level)
      if (cells === null) continue
      const [from, to] = rowsWithin(cells, part)
      into.merge(cells, { from, to, ...options })
    }
  }
}

/** `ms` moved outward to a midnight, though not beyond `limit`: whole days are read as one row. */
function dayFloor(ms: number, limit: number): number {
  return Math.max(limit, Math.floor(ms / DAY_MS) * DAY_MS)
}

function dayCeil(ms: number, limit: number): number {
  return Math.min(limit, Math.ceil(ms / DAY_MS) * DAY_MS)
}

/** The dates of the index that a range touches. */
function* datesOf({ index: { dates } }: Moment, { fromMs, toMs }: LevelRange): Generator<IndexedDate> {
  for (let ms = Math.floor(fromMs / DAY_MS) * DAY_MS; ms < toMs; ms += DAY_MS) {
    const date = dates.get(utcDate(ms))
    if (date !== undefined) yield date
  }
}

/** The rows whose bucket starts in a range; rows are in the order of time. */
function rowsWithin(cells: Cells, { fromMs, toMs }: LevelRange): [from: number, to: number] {
  const times = timesOf(cells)
  return [firstAtLeast(times, fromMs), firstAtLeast(times, toMs)]
}

function firstAtLeast(times: Float64Array, limit: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}

/** The cells of `key`, or of every key, that no version holds yet. */
function realtime({ index, open }: Moment, key: string | null, { fromMs, toMs }: Range): Cells[] {
  return [
    index.ticks.fold.range(key, fromMs, toMs),
    ...open.flatMap((part) => part.cells(key, fromMs, toMs)),
  ].filter(({ length }) => length > 0)
}

export function stats(at: Moment, batch: BatchCells, key: string, range: Range): Stats {
  const { view } = at.index
  const total = new CellFold(view)
  addBatch(total, at, batch, key, range, { bucketMs: WHOLE, key })
  const fromBatch = total.summary(key)?.messages ?? 0
  for (const cells of realtime(at, key, range)) total.merge(cells, { bucketMs: WHOLE, key })
  const messages = total.summary(key)?.messages ?? 0
  return {
    view,
    key,
    ...range,
    messages,
    gauges: messages === 0 ? emptyAnswers(view) : answersOf(total.cells(), 0),
    answeredBy: { batch: fromBatch, realtime: messages - fromBatch },
    basis: at.basis,
    ...wholeOf(at, range),
  }
}

/** Stats of every key with messages in `range`, by key as UTF-8 bytes: one fold for all of them. */
export function analytics(at: Moment, batch: BatchCells, range: Range): Stats[] {
  const { view, keys: known } = at.index
  const total = new CellFold(view)
  for (const { key, firstMs, lastMs } of known.values()) {
    if (firstMs < range.toMs && lastMs >= range.fromMs)
      addBatch(total, at, batch, key, range, { bucketMs: WHOLE })
  }
  const fromBatch = new Map(Array.from(total.keys(), ({ key, messages }) => [key, messages]))
  for (const cells of realtime(at, null, range)) total.merge(cells, { bucketMs: WHOLE })
  const cells = total.cells()
  const whole = wholeOf(at, range)
  const { basis } = at
  return Array.from({ length: cells.length }, (_, i) => {
    const key = keyAt(cells, i)
    const { messages } = total.summary(key)!
    const of = fromBatch.get(key) ?? 0
    const answeredBy = { batch: of, realtime: messages - of }
    return { view, key, ...range, messages, gauges: answersOf(cells, i), answeredBy, basis, ...whole }
  })
}

/** Merged cells of `key` in buckets of `stepMs`, ascending. */
export function series(at: Moment, batch: BatchCells, key: string, range: Range, stepMs: number): Cells {
  const cells = new CellFold(at.index.view)
  addCells(cells, at, batch, key, range, stepMs)
  return cells.cells()
}

export function isKnown(at: Moment, key: string): boolean {
  const { index, open } = at
  return (
    index.keys.has(key) ||
    index.ticks.fold.summary(key) !== null ||
    open.some((part) => part.summaries(key).length > 0)
  )
}

/** Every key known at this instant, by UTF-8 bytes. */
export function keys({ index, open }: Moment): KeySummary[] {
  const all = new Map<string, KeySummary>(index.keys)
  const add = (key: KeySummary) => all.set(key.key, joined(all.get(key.key), key))
  for (const key of index.ticks.fold.keys()) add(key)
  for (const part of open) for (const key of part.keys()) add(key)
  return [...all.values()].sort((a, b) => compareUtf8(a.key, b.key))
}

function joined(a: KeySummary | undefined, b: KeySummary): KeySummary {
  if (a === undefined) return { key: b.key, firstMs: b.firstMs, lastMs: b.lastMs, messages: b.messages }
  return {
    key: a.key,
    firstMs: Math.min(a.firstMs, b.firstMs),
    lastMs: Math.max(a.lastMs, b.lastMs),
    messages: a.messages + b.messages,
  }
}
