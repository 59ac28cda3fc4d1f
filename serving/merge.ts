import { CellFold } from '../schemas/cell-fold.ts'
import { joinSummaries, type KeySummary, type WantedKeys, WHOLE } from '../schemas/cell-rows.ts'
import { type CellRange, type Cells, coalesced, joinRows, keyAt, timesOf } from '../schemas/cells.ts'
import { answering, answersOf, emptyAnswers } from '../schemas/gauge-answer.ts'
import { narrowCells, narrowedTo } from '../schemas/narrowed.ts'
import { firstAtLeast } from '../schemas/sorted.ts'
import { bucketStart, DAY_MS, nextBucketStart } from '../schemas/time.ts'
import { compareUtf8, placeOf } from '../schemas/utf8.ts'
import type { View } from '../schemas/view.ts'
import type { Range, Stats } from './answers.ts'
import { coarsestWithin, type LevelRange, planRanges } from './index/levels.ts'
import type { DaysOfAll } from './index/reader.ts'
import type { IndexedDate } from './index/view-index.ts'
import { type Moment, wholeOf } from './moment.ts'

/** Where batch cells are read: chunks of the index, and the minutes of dates before it holds them. */
export interface BatchCells {
  /**
   * The rows of `key` in a date whose buckets, of the range's level, start in the range, in the order of time; in the columns of `as`, the
   * view or a narrower one.
   */
  read(date: IndexedDate, key: string, range: LevelRange, as: View): CellRange[]
  /** The same of some keys, each in the order of time. */
  readAll(date: IndexedDate, keys: readonly string[], range: LevelRange, as: View): Iterable<CellRange>
  /** The days of all keys in a date, in the columns of `as`. */
  days(date: IndexedDate, as: View): DaysOfAll
  /**
   * What `make` adds up of keys in a range of some dates, in the columns of `as`, of each of `keys` one row or none; it may be kept from
   * before.
   */
  sums(
    dates: readonly IndexedDate[],
    keys: readonly string[],
    range: LevelRange,
    as: View,
    make: (keys: readonly string[]) => Cells,
  ): readonly CellRange[]
}

/** Adds the batch cells of `key` in `range`. */
function addBatch(
  into: CellFold,
  at: Moment,
  batch: BatchCells,
  key: string,
  range: Range,
  options: { readonly bucketMs: number; readonly key?: string },
): void {
  for (const { rows } of batchRows(at, batch, key, range, options.bucketMs))
    into.merge(rows.cells, { from: rows.from, to: rows.to, ...options })
}

/** The batch cells of `key` in `range`, date by date, read at the coarsest level that will do for buckets of `bucketMs`. */
export function* batchRows(
  at: Moment,
  batch: BatchCells,
  key: string,
  range: Range,
  bucketMs: number,
  as = at.index.view,
): Generator<{ readonly date: IndexedDate; readonly rows: CellRange }> {
  const known = at.index.keys.get(key)
  if (known === undefined) return
  for (const part of planKnown(at, known, range, bucketMs)) {
    for (const date of datesOf(at, part)) {
      for (const rows of batch.read(date, key, part, as)) yield { date, rows }
    }
  }
}

/** What to read in `range` of keys with cells from `firstMs` to `lastMs`: beyond there is nothing to look for. */
function planKnown(
  { index: { view } }: Moment,
  { firstMs, lastMs }: Pick<KeySummary, 'firstMs' | 'lastMs'>,
  range: Range,
  bucketMs: number,
): LevelRange[] {
  const fromMs = Math.max(range.fromMs, firstMs)
  const toMs = Math.min(range.toMs, lastMs + view.bucketMs)
  // Outward to midnights, though not beyond the range: whole days are read as one row.
  const dayFromMs = Math.max(range.fromMs, bucketStart(fromMs, DAY_MS))
  const dayToMs = Math.min(range.toMs, nextBucketStart(toMs, DAY_MS))
  return planRanges(dayFromMs, dayToMs, coarsestWithin(bucketMs))
}

/**
 * Adds all batch cells of `keys` in `range` to one cell a key, in the fold's view. Sums of hours and of days are kept: questions about the
 * last weeks have the same ones in the middle again and again, and to add up their sketches takes most of the time.
 */
function addTotals(
  into: CellFold,
  at: Moment,
  batch: BatchCells,
  keys: readonly string[],
  range: Range,
): void {
  const known = keys.flatMap((key) => at.index.keys.get(key) ?? [])
  if (known.length === 0) return
  const { view } = at.index
  for (const part of planKnown(at, known.reduce(joinSummaries), range, WHOLE)) {
    const own = known.flatMap(({ key, firstMs, lastMs }) =>
      firstMs < part.toMs && lastMs + view.bucketMs > part.fromMs ? [key] : [],
    )
    const dates = [...datesOf(at, part)]
    if (part.level === 0) addPart(into, batch, dates, own, part)
    else {
      const make = (some: readonly string[]) => {
        const sum = new CellFold(into.view)
        addPart(sum, batch, dates, some, part)
        return sum.cells()
      }
      for (const { cells, from, to } of coalesced(batch.sums(dates, own, part, into.view, make)))
        into.merge(cells, { from, to, bucketMs: WHOLE })
    }
  }
}

/** Adds what is read in one range of some dates. Whole days are read of all keys at once. */
function addPart(
  into: CellFold,
  batch: BatchCells,
  dates: readonly IndexedDate[],
  keys: readonly string[],
  part: LevelRange,
): void {
  for (const date of dates)
    if (part.level === 2) addDays(into, batch.days(date, into.view), keys)
    else
      for (const { cells, from, to } of batch.readAll(date, keys, part, into.view))
        into.merge(cells, { from, to, bucketMs: WHOLE })
}

/** Adds the days of `known` keys; of those that stand side by side at once. */
function addDays(into: CellFold, days: DaysOfAll, known: readonly string[]): void {
  const { keys } = days
  let [from, to] = [0, 0]
  const add = () => {
    const { cells, ...rows } = days.rowsAt(from, to)
    into.merge(cells, { ...rows, bucketMs: WHOLE })
  }
  for (const key of known) {
    const row = keys[to] === key ? to : placeOf(keys, key)
    if (row < 0) continue
    if (row !== to) {
      add()
      from = row
    }
    to = row + 1
  }
  add()
}

/** The dates of the index that a range touches. */
function* datesOf({ index: { dates } }: Moment, { fromMs, toMs }: LevelRange): Generator<IndexedDate> {
  for (let ms = bucketStart(fromMs, DAY_MS); ms < toMs; ms += DAY_MS) {
    const date = dates.get(ms)
    if (date !== undefined) yield date
  }
}

/** The rows whose bucket starts in a range; rows are in the order of time. */
export function rowsWithin(cells: Cells, { fromMs, toMs }: Range): { from: number; to: number } {
  const times = timesOf(cells)
  return { from: firstAtLeast(times, fromMs), to: firstAtLeast(times, toMs) }
}

/** The cells of `keys` that no version holds yet. */
function realtime({ index, open }: Moment, keys: WantedKeys, { fromMs, toMs }: Range): Cells[] {
  return [
    ...index.ticks.range(keys, fromMs, toMs),
    ...open.flatMap((part) => part.cells(keys, fromMs, toMs)),
  ].filter(({ length }) => length > 0)
}

/** What a fold of everything into one cell says of `key`. */
export function totalsOf(total: CellFold, key: string): Pick<Stats, 'messages' | 'gauges'> {
  const messages = total.summary(key)?.messages ?? 0
  return { messages, gauges: messages === 0 ? emptyAnswers(total.view) : answersOf(total.cells(), 0) }
}

export function stats(at: Moment, batch: BatchCells, key: string, range: Range): Stats {
  const { view } = at.index
  const total = new CellFold(view)
  const options = { bucketMs: WHOLE, key }
  addBatch(total, at, batch, key, range, options)
  const fromBatch = total.summary(key)?.messages ?? 0
  for (const cells of realtime(at, key, range)) total.merge(cells, options)
  const totals = totalsOf(total, key)
  return {
    view,
    key,
    ...range,
    ...totals,
    answeredBy: { batch: fromBatch, realtime: totals.messages - fromBatch },
    basis: at.basis,
    ...wholeOf(at, range),
  }
}

/** The keys that may have messages in `range`, and for which `wanted` holds, by UTF-8 bytes. */
export function keysWithin(
  at: Moment,
  range: Range,
  wanted: (key: string) => boolean = () => true,
): string[] {
  return summaries(at)
    .filter(({ key, firstMs, lastMs }) => firstMs < range.toMs && lastMs >= range.fromMs && wanted(key))
    .map(({ key }) => key)
    .sort(compareUtf8)
}

/**
 * Stats of those of `keys` that have messages in `range`, by key as UTF-8 bytes: one fold for all of them. With `path` no more of each
 * than tells that field, in the columns of a narrower view.
 */
export function statsOfAll(
  at: Moment,
  batch: BatchCells,
  keys: readonly string[],
  range: Range,
  path?: string,
): Stats[] {
  const whole = wholeOf(at, range)
  const view = (path === undefined ? null : narrowedTo(at.index.view, path)) ?? at.index.view
  const total = new CellFold(view)
  addTotals(total, at, batch, keys, range)
  const fromBatch = new Map(Array.from(total.keys(), ({ key, messages }) => [key, messages]))
  for (const cells of realtime(at, keys, range))
    total.merge(view === at.index.view ? cells : narrowCells(cells, view), { bucketMs: WHOLE })
  const cells = total.cells()
  const { basis } = at
  const answerOf = answering(cells)
  return Array.from({ length: cells.length }, (_, i): Stats => {
    const key = keyAt(cells, i)
    const { messages } = total.summary(key)!
    const of = fromBatch.get(key) ?? 0
    const answeredBy = { batch: of, realtime: messages - of }
    return { view, key, ...range, messages, gauges: answerOf(i), answeredBy, basis, ...whole }
  })
}

/** Merged cells of `key` in buckets of `stepMs`, ascending; in the columns of `as`, the view or a narrower one. */
export function series(
  at: Moment,
  batch: BatchCells,
  key: string,
  range: Range,
  stepMs: number,
  as = at.index.view,
): Cells {
  const { view } = at.index
  const newest = realtime(at, key, range).map((cells) => (as === view ? cells : narrowCells(cells, as)))
  const parts = Array.from(batchRows(at, batch, key, range, stepMs, as), ({ rows }) => rows)
  // In the view's own buckets each of the version's cells stands for itself, and they come in the order of time.
  if (newest.length === 0 && stepMs === view.bucketMs) return joinRows(as, parts)
  const merged = new CellFold(as)
  const options = { bucketMs: stepMs, key }
  for (const { cells, from, to } of parts) merged.merge(cells, { from, to, ...options })
  for (const cells of newest) merged.merge(cells, options)
  return merged.cells()
}

/** The same of all `keys`, by key as UTF-8 bytes. */
export function seriesOfAll(
  at: Moment,
  batch: BatchCells,
  keys: readonly string[],
  range: Range,
  stepMs: number,
): Cells {
  const merged = new CellFold(at.index.view)
  for (const key of keys) addBatch(merged, at, batch, key, range, { bucketMs: stepMs })
  for (const cells of realtime(at, keys, range)) merged.merge(cells, { bucketMs: stepMs })
  return merged.cells()
}

export function isKnown(at: Moment, key: string): boolean {
  const { index, open } = at
  return (
    index.keys.has(key) ||
    index.ticks.summary(key) !== null ||
    open.some((part) => part.summaries(key).length > 0)
  )
}

/** Every key known at this instant, by UTF-8 bytes. */
export function keys(at: Moment): KeySummary[] {
  return summaries(at).sort((a, b) => compareUtf8(a.key, b.key))
}

/** Every key known at this instant, in no order. */
export function summaries({ index, open }: Moment): KeySummary[] {
  const all = new Map<string, KeySummary>(index.keys)
  const add = (key: KeySummary) => all.set(key.key, joinSummaries(all.get(key.key), key))
  for (const key of index.ticks.keys()) add(key)
  for (const part of open) for (const key of part.keys()) add(key)
  return [...all.values()]
}
