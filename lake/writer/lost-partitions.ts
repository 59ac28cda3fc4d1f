import {
  type Gap,
  highest,
  mergeGaps,
  offsetIn,
  type Position,
  partitionsOf,
} from '../../schemas/position.ts'
import type { Change, Snapshot } from '../delta/port.ts'
import { coveredMs, coveredPosition, logFacts, sealApp, withLogFacts } from '../tables/messages.ts'

/** How the reason of the gap begins that stands for a log which is gone. */
export const LOST_REASON = 'the journal that held these blocks is gone'

/**
 * A partition that the lake names and the log no longer holds takes no more blocks: the commit that says so, and what is
 * lost; null when there is none. Nothing knows how far that log reached, so one offset behind the last that was named stands
 * for all that may be missing.
 */
export function closeLostPartitions(
  base: Snapshot,
  named: Position,
  held: readonly number[],
  nowMs: number,
): Change | null {
  const facts = logFacts(base)
  const covered = coveredPosition(base)
  const lost = partitionsOf(named).filter((p) => p >= 0 && !held.includes(p) && facts.closed[p] === undefined)
  if (lost.length === 0) return null
  const last = highest(named, covered)
  const closedNow = Object.fromEntries(lost.map((p) => [p, offsetIn(last, p) + 1]))
  const gaps: Gap[] = lost.map((partition) => ({
    partition,
    from: offsetIn(covered, partition),
    to: closedNow[partition]!,
    fromMs: coveredMs(base, partition),
    toMs: nowMs,
    reason: `${LOST_REASON}, and perhaps more behind them`,
  }))
  const next = { gaps: mergeGaps(facts.gaps, gaps), closed: { ...facts.closed, ...closedNow } }
  return {
    operation: 'CLOSE PARTITION',
    dataChange: false,
    configuration: withLogFacts(base, next),
    txns: Object.fromEntries(lost.map((p) => [sealApp(p), { version: closedNow[p]!, lastUpdatedMs: nowMs }])),
  }
}
