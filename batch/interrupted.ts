import { UNCOMMITTED_MS_MAX } from '../lake/delta/cleanup.ts'
import type { ObjectStore } from '../lake/store/port.ts'
import { allViews, type LakeTables } from '../lake/tables/deployment.ts'
import { viewState } from '../lake/tables/published.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { RunRecord } from '../schemas/ports/layers.ts'
import { recordRuns } from './records.ts'
import { leftRuns } from './stages.ts'

/** A run that was not heard of for so long could not publish any more. */
const SILENT_MS = UNCOMMITTED_MS_MAX
const INTERRUPTED =
  'its process ended in the middle; the next run takes over the dates that this one had computed'

/**
 * Records the runs whose process ended before it could: as far as is known of them. `isAlone` says that none of them can be
 * going on elsewhere.
 */
export async function recordInterrupted(
  isAlone: boolean,
  {
    store,
    tables,
    clock,
  }: { readonly store: ObjectStore; readonly tables: LakeTables; readonly clock: Clock },
): Promise<void> {
  const left = (await leftRuns(store)).filter(({ heardMs }) => isAlone || clock.nowMs() - heardMs > SILENT_MS)
  if (left.length === 0) return
  const records: RunRecord[] = []
  for (const { record, heardMs } of left) {
    const ended = { ...record, endedMs: Math.max(record.startedMs, heardMs) }
    const table = allViews(tables).find(({ view }) => view.name === record.view)?.published
    const snapshot = (await table?.snapshot()) ?? null
    if (viewState(snapshot)?.run === record.run)
      records.push({ ...ended, result: 'published', viewVersion: snapshot!.version })
    else records.push({ ...ended, result: 'failed', error: INTERRUPTED })
  }
  await recordRuns(tables.runs, records)
  for (const one of left) await one.forget()
}
