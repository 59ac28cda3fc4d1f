import { TidemarkError } from '../schemas/errors.ts'
import type { OpenCells, OpenPart } from '../schemas/ports/layers.ts'
import {
  type Gap,
  IMPORT_PARTITION,
  mergeGaps,
  offsetIn,
  type Position,
  partitionsOf,
} from '../schemas/position.ts'
import type { AnswerGap, Basis, Blocks, Range, Whole } from './answers.ts'
import type { ViewIndex } from './index/view-index.ts'

/**
 * What the answers of a view stand on at one instant: batch cells of version v ⊕ the chain of ticks from its tidemark T ⊕
 * the open cells that continue exactly that chain.
 *
 *     ├──── batch cells ────┤T├─ tick ─┤├─ tick ─┤chain end├── open cells ──┤ position
 *
 * It is made and used without waiting, so what is said of a key never mixes two states.
 */
export interface Moment {
  readonly index: ViewIndex
  readonly open: readonly OpenPart[]
  readonly basis: Basis
  /** Reasons why the set may lack messages older than the freshness bound. */
  readonly missing: readonly AnswerGap[]
  readonly unread: boolean
}

/** What a version holds of imports. */
export interface Imports {
  /** The offset of the last one's last row in the partition of imports. */
  readonly to: number
  /** When the version was published, milliseconds since 1970. */
  readonly publishedMs: number
}

export interface MomentDeps {
  readonly index: ViewIndex
  readonly openCells: OpenCells | null
  readonly nowMs: number
  /** How long speed may be behind the log's end. */
  readonly lagMs: number
  /** Why the lake was not read since the start; null when it was. An index from before may lack anything. */
  readonly unread: string | null
  /** What the newest version that was seen holds of imports, which the index may not hold yet; null before the first. */
  readonly imports: Imports | null
}

/** Throws `E_UNPUBLISHED` for a view that came later than messages that speed cannot fold any more. */
export function momentOf({ index, openCells, nowMs, lagMs, unread, imports }: MomentDeps): Moment {
  const { loaded } = index
  const open: OpenPart[] = []
  const openBlocks: Blocks[] = []
  const missing: AnswerGap[] = loaded.damaged.map((d) => ({ ...d, fromMs: null, toMs: null }))
  const position: { [partition: number]: number } = { ...loaded.chainEnd }
  const live = openCells?.partitions() ?? []
  for (const partition of live) {
    const from = offsetIn(loaded.chainEnd, partition)
    const part = openCells!.open(loaded.hash, partition, from)
    const { start, end, behindSinceMs } = openCells!.lag(loaded.hash, partition)
    if (part !== null) {
      open.push(part)
      openBlocks.push({ partition, from, to: part.to })
      position[partition] = part.to
    }
    if (part === null && loaded.state === null && unread === null && start > from)
      throw new TidemarkError('E_UNPUBLISHED', `view ${index.view.name} answers once a run has published it`)
    if (part === null && end > from) {
      missing.push(missed(partition, from, end, 'the speed layer does not continue the committed ticks yet'))
    } else if (behindSinceMs !== null && nowMs - behindSinceMs > lagMs) {
      missing.push(missed(partition, part?.to ?? from, end, 'the speed layer is behind the log'))
    }
  }
  if (openCells === null && unread === null) missing.push(...notVouched(index, nowMs, lagMs))
  if (unread !== null) {
    const places = live.length > 0 ? live : [0]
    for (const p of places) missing.push(missed(p, offsetIn(loaded.chainEnd, p), null, unread))
  }
  // Only a version holds imports, not ticks.
  const imported = offsetIn(loaded.state?.tidemark ?? {}, IMPORT_PARTITION)
  if (imports !== null && imports.to > imported && nowMs - imports.publishedMs > lagMs)
    missing.push(missed(IMPORT_PARTITION, imported, imports.to, 'these imported messages are being loaded'))
  for (const partition of partitionsOf(loaded.closed)) {
    const to = offsetIn(loaded.closed, partition)
    // Nothing but a version holds the last offset, which stands for all that is lost: a tick that reaches it was under way.
    const from = Math.min(offsetIn(loaded.chainEnd, partition), to - 1)
    if (offsetIn(loaded.state?.tidemark ?? {}, partition) < to)
      missing.push(missed(partition, from, to, 'the next batch run adds these blocks'))
  }
  return { index, open, missing, unread: unread !== null, basis: basisOf(index, position, open, openBlocks) }
}

/**
 * What the ticks alone do not vouch for: partitions whose chain does not reach the last tick committed, or whose speed was at
 * the log's end longer than `lagMs` ago. Throws `E_UNPUBLISHED` as `momentOf`.
 */
function notVouched({ view, loaded }: ViewIndex, nowMs: number, lagMs: number): AnswerGap[] {
  const missing: AnswerGap[] = []
  for (const { partition, by } of loaded.vouched) {
    if (loaded.closed[partition] !== undefined) continue
    const from = offsetIn(loaded.chainEnd, partition)
    if (by === null) {
      missing.push(missed(partition, from, null, 'the speed layer has not read to the end of the log yet'))
    } else if (from < by.to) {
      if (loaded.state === null && !loaded.ticks.some((tick) => tick.partition === partition))
        throw new TidemarkError('E_UNPUBLISHED', `view ${view.name} answers once a run has published it`)
      missing.push(missed(partition, from, by.to, 'the committed ticks do not continue what is published'))
    } else if (nowMs - by.endMs > lagMs) {
      const since = new Date(by.endMs).toISOString()
      missing.push(
        missed(partition, from, null, `the speed layer was last at the end of the log at ${since}`),
      )
    }
  }
  return missing
}

function missed(partition: number, from: number, to: number | null, reason: string): AnswerGap {
  return { reason, partition, from, to, fromMs: null, toMs: null }
}

function basisOf(
  { loaded }: ViewIndex,
  position: Position,
  open: readonly OpenPart[],
  openBlocks: readonly Blocks[],
): Basis {
  return {
    position,
    tidemark: loaded.state?.tidemark ?? {},
    viewVersion: loaded.viewVersion,
    run: loaded.state?.run ?? null,
    definition: loaded.hash,
    messagesVersion: loaded.messagesVersion,
    ticks: loaded.ticks.map(({ partition, from, to }) => ({ partition, from, to })),
    open: openBlocks,
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

/** All time. */
export const EVER: Range = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }

/** Whether an answer about `range` is whole, and why not. */
export function wholeOf(at: Moment, range: Range): Whole {
  const gaps = [...at.missing, ...gapsWithin(at.basis.gaps, range)]
  return { complete: gaps.length === 0, gaps }
}

/** Whether two parts of an answer are whole together. */
export function bothWhole(a: Whole, b: Whole): Whole {
  const known = new Set(a.gaps.map((gap) => JSON.stringify(gap)))
  const gaps = [...a.gaps, ...b.gaps.filter((gap) => !known.has(JSON.stringify(gap)))]
  return { complete: a.complete && b.complete, gaps }
}
