import { join } from 'node:path'
import { openAudit } from '../../lake/audit.ts'
import { type Erasures, startErasures } from '../../lake/erase/erasures.ts'
import type { Settings } from '../settings/settings.ts'
import type { Closing } from './closing.ts'
import type { OpenedData } from './data-directory.ts'
import type { Host } from './host.ts'

/** Starts what erases messages of a data directory that this process has; it goes on with those that are not over. */
export function startErasing(
  settings: Settings,
  { tables, store, encoder, journal, writer, batch }: OpenedData,
  machine: {
    forgetRejects(words: readonly string[]): Promise<number>
    /** Whether the serving index is nobody's, and can be removed. */
    readonly removesIndex: boolean
  },
  { disk, clock, random, logLine }: Host,
  closing: Closing,
): Erasures {
  const index = join(settings.dataDir(), 'index.db')
  const erasures = startErasures(
    { retentionMs: settings.durationMs('lake.retention') },
    {
      store,
      tables,
      audit: openAudit({ store, clock, random }),
      log: journal,
      sealer: writer,
      runs: batch,
      encoder,
      trim: () => writer.tend(),
      forgetRejects: (words) => machine.forgetRejects(words),
      // One that is in use follows the lake, and overwrites what it removes.
      async forgetCaches() {
        if (machine.removesIndex) for (const end of ['', '-wal', '-shm']) await disk.remove(`${index}${end}`)
      },
      clock,
      random,
      logLine,
    },
  )
  closing.add('erasures', () => erasures.close())
  return erasures
}
