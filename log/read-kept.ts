import { mergeGaps } from '../schemas/position.ts'
import type { LogReader, LogSlice } from './port.ts'

const TRIMMED = 'the log no longer has these blocks, and the lake does not have them either'

/**
 * `log.read`, for a reader whose blocks after `after` are in the log or nowhere: one that works on a lake older than the log,
 * as after a backup was restored. Where the log was trimmed further than that, it begins at the first block kept, and what lies
 * before is a gap. `afterMs` is the log time at `after`, 0 when not known.
 */
export async function readKept(
  log: Pick<LogReader, 'start' | 'read'>,
  { partition, after, afterMs }: { partition: number; after: number; afterMs: number },
  blocksMax: number,
): Promise<LogSlice> {
  const start = log.start(partition)
  if (after >= start) return log.read(partition, after, blocksMax)
  const slice = await log.read(partition, start, blocksMax)
  const toMs = Math.max(afterMs, slice.blocks[0]?.logTimeMs ?? slice.toMs)
  const lost = { partition, from: after, to: start, fromMs: afterMs, toMs, reason: TRIMMED }
  return { ...slice, gaps: mergeGaps([lost], slice.gaps) }
}
