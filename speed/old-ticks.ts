import type { Snapshot } from '../lake/delta/port.ts'
import type { TickedView } from '../lake/tables/deployment.ts'
import { viewState } from '../lake/tables/published.ts'
import { ticksOf } from '../lake/tables/ticks.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { offsetIn } from '../schemas/position.ts'
import { definitionHash } from '../schemas/view.ts'

/** Drops ticks that the tidemark passed longer than the retention ago, then cleans up the table's files. */
export async function removeOldTicks(
  { view, published, ticks }: TickedView,
  clock: Clock,
  retentionMs: number,
): Promise<void> {
  const state = viewState(await published.snapshot())
  const base = (await ticks.snapshot()) as Snapshot
  const kept = new Set([definitionHash(view), ...(state === null ? [] : [state.hash])])
  // A clock that jumps makes no tick old before the table itself went on.
  const limit = Math.min(clock.nowMs(), base.timeMs) - retentionMs
  const tidemark = state?.tidemark ?? {}
  const old = ticksOf(base).filter((tick) => {
    if (tick.file.modifiedMs > limit) return false
    return !kept.has(tick.hash) || tick.to <= offsetIn(tidemark, tick.partition)
  })
  if (old.length > 0) {
    await ticks.commit(base, {
      operation: 'REMOVE TICKS',
      remove: old.map((tick) => tick.file.path),
      dataChange: true,
    })
  }
  await ticks.tend(clock.nowMs(), retentionMs)
}
