import { answerOf, type Cell, CellMap, type CellRow, emptyCell, mergeInto } from '../schemas/cell.ts'
import type { OpenCells, OpenPart } from '../schemas/ports/layers.ts'
import { type Gap, mergeGaps, offsetIn, type Position, partitionsOf } from '../schemas/position.ts'
import { bucketStart } from '../schemas/time.ts'
import { compareUtf8 } from '../schemas/utf8.ts'
import type { AnswerGap, Basis, Range, ServiceSummary, Stats } from './answers.ts'
import { coarsestWithin } from './index/levels.ts'
import type { IndexStore } from './index/store.ts'

/**
 * The merge: batch cells of version v ⊕ the chain of ticks from its tidemark T ⊕ the open cells that continue exactly
 * that chain.
 *
 *     ├──── batch cells ────┤T├─ tick ─┤├─ tick ─┤chain end├── open cells ──┤ position
 *
 * A `Standing` is this for one instant. It is made and used without waiting, so one answer never mixes two states.
 */
export interface Standing {
  readonly store: IndexStore
  readonly open: readonly OpenPart[]
  readonly basis: Basis
  /** Reasons why the set may lack messages older than the freshness bound. */
  readonly missing: readonly AnswerGap[]
  readonly unread: boolean
}

export interface StandingDeps {
  readonly store: IndexStore
  readonly openCells: OpenCells | null
  readonly nowMs: number
  /** How long speed may be behind the log's end: tick + 5 s. */
  readonly lagMs: number
  /** Why the lake was not read since the start; null when it was. An index from before may lack anything. */
  readonly unread: string | null
}

export function standing({ store, openCells, nowMs, lagMs, unread }: StandingDeps): Standing {
  const { loaded } = store
  const open: OpenPart[] = []
  const missing: AnswerGap[] = loaded.damaged.map((d) => ({ ...d, fromMs: null, toMs: null }))
  const position: { [partition: number]: number } = { ...loaded.chainEnd }
  const live = openCells?.partitions() ?? []
  for (const partition of live) {
    const from = offsetIn(loaded.chainEnd, partition)
    const part = openCells!.open(loaded.hash, partition, from)
    const { end, behindSinceMs } = openCells!.lag(loaded.hash, partition)
    if (part !== null) {
      open.push(part)
      position[partition] = part.to
    }
    if (part === null && end > from) {
      missing.push(missed(partition, from, end, 'the speed layer does not continue the committed ticks yet'))
    } else if (behindSinceMs !== null && nowMs - behindSinceMs > lagMs) {
      missing.push(missed(partition, part?.to ?? from, end, 'the speed layer is behind the log'))
    }
  }
  if (unread !== null) {
    const places = live.length > 0 ? live : [0]
    for (const p of places) missing.push(missed(p, offsetIn(loaded.chainEnd, p), null, unread))
  }
  for (const partition of partitionsOf(loaded.closed)) {
    const to = offsetIn(loaded.closed, partition)
    // Nothing but a version holds the last offset, which stands for all that is lost: a tick that reaches it was under way.
    const from = Math.min(offsetIn(loaded.chainEnd, partition), to - 1)
    if (offsetIn(loaded.state?.tidemark ?? {}, partition) < to)
      missing.push(missed(partition, from, to, 'the next batch run adds these blocks'))
  }
  return { store, open, missing, unread: unread !== null, basis: basisOf(store, position, open) }
}

function missed(partition: number, from: number, to: number | null, reason: string): AnswerGap {
  return { reason, partition, from, to, fromMs: null, toMs: null }
}

function basisOf({ loaded }: IndexStore, position: Position, open: readonly OpenPart[]): Basis {
  return {
    position,
    tidemark: loaded.state?.tidemark ?? {},
    viewVersion: loaded.viewVersion,
    run: loaded.state?.run ?? null,
    definition: loaded.hash,
    messagesVersion: loaded.messagesVersion,
    files: loaded.files.length,
    ticks: loaded.ticks.map(({ partition, from, to }) => ({ partition, from, to })),
    gaps: mergeGaps(
      loaded.state?.gaps ?? [],
      ...loaded.ticks.map((tick) => tick.gaps),
      ...open.map((part) => part.gaps),
    ),
  }
}

/** Damage may hide messages whose time is this far from the log times around it. */
const GAP_MARGIN_MS = 10 * 60_000

/** The lasting gaps that may lack messages of `range`. */
function gapsWithin(gaps: readonly Gap[], range: Range): Gap[] {
  return gaps.filter(
    (gap) => gap.fromMs - GAP_MARGIN_MS < range.toMs && gap.toMs + GAP_MARGIN_MS > range.fromMs,
  )
}

export function stats(at: Standing, key: string, range: Range): Stats {
  const batch = emptyCell(at.store.view)
  const realtime = emptyCell(at.store.view)
  for (const row of at.store.batchCells(key, range.fromMs, range.toMs)) mergeInto(batch, row.cell)
  for (const row of realtimeCells(at, key, range)) mergeInto(realtime, row.cell)
  return statsOf(at, key, range, batch, realtime)
}

function statsOf(at: Standing, key: string, range: Range, batch: Cell, realtime: Cell): Stats {
  const total = emptyCell(at.store.view)
  mergeInto(total, batch)
  mergeInto(total, realtime)
  const gaps = [...at.missing, ...gapsWithin(at.basis.gaps, range)]
  return {
    key,
    ...range,
    messages: total.messages,
    gauges: at.store.view.gauges.map((_, g) => answerOf(total, g)),
    answeredBy: { batch: batch.messages, realtime: realtime.messages },
    basis: at.basis,
    complete: gaps.length === 0,
    gaps,
  }
}

function* realtimeCells(at: Standing, key: string, range: Range): Generator<CellRow> {
  yield* at.store.tickCells(key, range.fromMs, range.toMs)
  for (const part of at.open) yield* part.range(key, range.fromMs, range.toMs)
}

/** Merged cells of `key`, minutes ascending. */
export function minutes(at: Standing, key: string, range: Range): CellRow[] {
  const cells = new CellMap(at.store.view)
  cells.merge(at.store.batchMinutes(key, range.fromMs, range.toMs))
  cells.merge(realtimeCells(at, key, range))
  return cells.rows()
}

/** Merged cells of `key` in buckets of `stepMs`, ascending. */
export function series(at: Standing, key: string, range: Range, stepMs: number): CellRow[] {
  const cells = new CellMap(at.store.view)
  const add = (rows: Iterable<CellRow>) => {
    for (const row of rows) mergeInto(cells.at(key, bucketStart(row.minuteMs, stepMs)), row.cell)
  }
  add(at.store.batchCells(key, range.fromMs, range.toMs, coarsestWithin(stepMs)))
  add(realtimeCells(at, key, range))
  return cells.rows()
}

/** Every key known at this instant, by UTF-8 bytes. */
export function keys(at: Standing): string[] {
  const all = at.store.keys()
  for (const part of at.open) for (const key of part.keys()) all.add(key)
  return [...all].sort(compareUtf8)
}

export function isKnown(at: Standing, key: string): boolean {
  // Who has not read the lake cannot say that a service is unknown.
  if (at.unread) return true
  if (at.store.extent(key) !== null) return true
  return at.open.some(
    (part) =>
      !part.range(key, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)[Symbol.iterator]().next().done,
  )
}

export function summaries(at: Standing): ServiceSummary[] {
  return keys(at).map((key) => {
    const indexed = at.store.extent(key)
    const summary = {
      key,
      firstMinuteMs: indexed?.firstMs ?? Number.POSITIVE_INFINITY,
      lastMinuteMs: indexed?.lastMs ?? Number.NEGATIVE_INFINITY,
      messages: indexed?.messages ?? 0,
    }
    for (const part of at.open) {
      for (const row of part.range(key, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)) {
        summary.firstMinuteMs = Math.min(summary.firstMinuteMs, row.minuteMs)
        summary.lastMinuteMs = Math.max(summary.lastMinuteMs, row.minuteMs)
        summary.messages += row.cell.messages
      }
    }
    return summary
  })
}
