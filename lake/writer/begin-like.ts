import { lowest, offsetIn, partitionsOf } from '../../schemas/position.ts'
import type { Change, Snapshot } from '../delta/port.ts'
import { coveredMs, coveredPosition, logFacts, sealApp, withLogFacts } from '../tables/messages.ts'

/**
 * Configuration of a table that has begun: what the log has above its covered position is to be sealed. A table made together
 * with the first of a deployment begins at once, else a crash between the seals of two would make the one that is
 * behind look new.
 */
export const BEGUN = 'tidemark.begun'

/** Whether a table covers anything of the log. */
export function hasCovered(messages: Snapshot | null): boolean {
  return partitionsOf(coveredPosition(messages)).length > 0
}

/**
 * The commit that lets the table of a dataset which is new to a deployment begin where `others` are: the log has none of its
 * messages before that, whether those blocks are still there or not. Null when the table has begun.
 */
export function beginLike(base: Snapshot, others: readonly Snapshot[]): Change | null {
  if (base.configuration[BEGUN] !== undefined || hasCovered(base)) return null
  const begun = others.filter(hasCovered)
  if (begun.length === 0)
    return {
      operation: 'BEGIN',
      dataChange: false,
      configuration: { ...base.configuration, [BEGUN]: 'with the log' },
    }
  const from = lowest(...begun.map(coveredPosition))
  const txns = partitionsOf(from).map((partition) => {
    const lastUpdatedMs = Math.min(...begun.map((other) => coveredMs(other, partition)))
    return [sealApp(partition), { version: offsetIn(from, partition), lastUpdatedMs }] as const
  })
  const closed = Object.assign({}, ...begun.map((other) => logFacts(other).closed))
  return {
    operation: 'BEGIN',
    dataChange: false,
    configuration: { ...withLogFacts(base, { gaps: [], closed }), [BEGUN]: 'behind others' },
    txns: Object.fromEntries(txns),
  }
}
