import type { Snapshot, Table } from '../lake/delta/port.ts'
import { publishApp, viewSchema, withViewState } from '../lake/tables/published.ts'
import { isError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { mergeGaps } from '../schemas/position.ts'
import { definitionJson } from '../schemas/view.ts'
import type { Executed } from './execute.ts'
import type { RunPlan } from './plan.ts'

/**
 * Publishes what executing `plan` made on top of the version `base` that it was planned for: files, tidemark and definition
 * in one commit, before which nothing can be seen. It is compare-and-set on a counter, so of two runs at once one is
 * discarded. Returns the version it became; null when another run published first.
 */
export async function publish(
  plan: RunPlan,
  made: Executed,
  run: string,
  { table, base, clock }: { readonly table: Table; readonly base: Snapshot; readonly clock: Clock },
): Promise<Snapshot | null> {
  const { view } = plan
  const app = publishApp(view.name)
  const schema = viewSchema(view)
  try {
    const next = await table.commit(base, {
      operation: 'PUBLISH',
      add: made.add,
      remove: made.remove,
      dataChange: true,
      txns: { [app]: { version: (base.txns.get(app)?.version ?? 0) + 1, lastUpdatedMs: clock.nowMs() } },
      ...(JSON.stringify(schema) !== JSON.stringify(base.schema) && { schema }),
      configuration: withViewState(base, {
        tidemark: plan.tidemark,
        hash: plan.hash,
        definition: definitionJson(view),
        messagesVersion: plan.messagesVersion,
        ...(plan.messagesCommit !== null && { messagesCommit: plan.messagesCommit }),
        dirtyHours: plan.dirtyHours,
        damagedHours: made.damagedHours,
        logTimeMs: plan.logTimeMs,
        gaps: mergeGaps(plan.gaps, made.gaps),
        run,
      }),
      info: { run },
    })
    return next
  } catch (error) {
    if (isError(error, 'E_CONFLICT')) return null
    throw error
  }
}
