import type { LakeTables } from '../../lake/tables/deployment.ts'
import { sealLeftBehind } from '../../lake/writer/left-behind.ts'
import type { SealEncoder } from '../../lake/writer/seal-files.ts'
import { openLeftBehind } from '../../log/journal/left-behind.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { Position } from '../../schemas/position.ts'

/**
 * Brings into the lake what the journal in `dir` acknowledged before others took the lake over; before `openJournal`, which begins
 * another partition then. Returns how many blocks that were.
 */
export async function bringLeftBehind(
  journal: { readonly dir: string; readonly floor: Position },
  deps: {
    readonly disk: Disk
    readonly random: Random
    readonly tables: LakeTables
    readonly encoder: SealEncoder
    logLine(line: string): void
  },
): Promise<number> {
  const left = await openLeftBehind(journal, deps)
  if (left === null) return 0
  try {
    const blocks = await sealLeftBehind(left, { ...deps, datasets: deps.tables.datasets })
    if (blocks > 0)
      deps.logLine(`journal: ${blocks} blocks that others who had the lake could not know are in it now`)
    return blocks
  } finally {
    await left.close()
  }
}
