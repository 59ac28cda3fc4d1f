import type { CellFile } from '../../lake/parquet/cells.ts'
import type { SealEncoder } from '../../lake/writer/seal-files.ts'
import type { Cells } from '../../schemas/cells.ts'
import { sealThread } from '../host/seal-thread.ts'

/** What makes the files of ticks. */
export interface TickEncoding {
  encode(parts: readonly Cells[]): Promise<CellFile>
  close(): Promise<void>
}

/** Ticks of fewer cells come of a small fleet, or of a view by service. */
const LARGE_CELLS = 2_000

/**
 * Small ticks take their turn behind the seals; large ones, as thousands of hosts make them, get a thread of their own. When such a fleet
 * comes back with its spools, sealing is behind for a minute, and the cells of ticks that waited for it would pile up in memory. The thread
 * takes some 30 MB, and so is begun with the first large tick.
 */
export function tickEncoding(
  seals: Pick<SealEncoder, 'encodeCells'>,
  openThread: () => Pick<SealEncoder, 'encodeCells' | 'close'> = sealThread,
): TickEncoding {
  let own: ReturnType<typeof openThread> | null = null
  return {
    encode(parts) {
      const cells = parts.reduce((sum, { length }) => sum + length, 0)
      if (cells < LARGE_CELLS) return seals.encodeCells(parts)
      own ??= openThread()
      return own.encodeCells(parts)
    },
    async close() {
      await own?.close()
    },
  }
}
