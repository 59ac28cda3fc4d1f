import { lowest, offsetIn, partitionsOf } from '../../schemas/position.ts'
import type { Change, Snapshot } from '../delta/port.ts'
import { coveredMs, coveredPosition, logFacts, sealApp, withLogFacts } from '../tables/messages.ts'

/**
 * The commit that lets the table of a dataset which is new to a deployment begin where `others` are: the log has none of its
 * messages before that, whether those blocks are still there or not. Null when the table has begun, or no other has.
 */
export function beginLike(base: Snapshot, others: readonly Snapshot[]): Change | null {
  const begun = others.filter((other) => partitionsOf(coveredPosition(other)).length > 0)
  if (begun.length === 0 || partitionsOf(coveredPosition(base)).length > 0) return null
  const from = lowest(...begun.map(coveredPosition))
  const txns = partitionsOf(from).map((partition) => {
    const lastUpdatedMs = Math.min(...begun.map((other) => coveredMs(other, partition)))
    return [sealApp(partition), { version: offsetIn(from, partition), lastUpdatedMs }] as const
  })
  const closed = Object.assign({}, ...begun.map((other) => logFacts(other).closed))
  return {
    operation: 'BEGIN',
    dataChange: false,
    configuration: withLogFacts(base, { gaps: [], closed }),
    txns: Object.fromEntries(txns),
  }
}
