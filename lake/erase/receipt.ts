import type { Act } from '../audit.ts'
import type { DatasetTables } from '../tables/deployment.ts'
import { viewState } from '../tables/published.ts'
import type { Erasure } from './erasure-log.ts'
import { datesStillCounted } from './frozen.ts'

/** Dates that a receipt lists one by one. */
const DATES_NAMED_MAX = 20

/** What the audit says of an erasure, once no answer holds what was erased; `rejects` is how many refused lines were forgotten. */
export async function receiptOf(erasure: Erasure, rejects: number, tables: DatasetTables): Promise<Act> {
  const { id, who, dataset, where, fromMs, toMs, rows, frozen } = erasure
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  const about = {
    erasure: id,
    dataset,
    ...where,
    from: time(fromMs),
    to: time(toMs),
    refused_lines: rejects,
    ...(frozen && { frozen_cells_removed: frozen.removed, frozen_cells_unnamed: frozen.unnamed }),
  }
  return { who, what: 'erase', about, rows, result: await resultOf(erasure, tables) }
}

/** Hours of which a file cannot be read keep their cells, and sums of expired messages what they counted. */
async function resultOf(erasure: Erasure, tables: DatasetTables): Promise<string> {
  const damaged = new Set<string>()
  for (const { published } of tables.views)
    for (const hour of viewState(await published.snapshot())?.damagedHours ?? []) damaged.add(hour)
  const missed = damaged.size === 0 ? '' : `, but not in hours with damaged files: ${[...damaged].join(', ')}`
  const counted = await datesStillCounted(erasure, tables)
  const [first, last] = [counted[0], counted.at(-1)]
  const dates =
    counted.length > DATES_NAMED_MAX ? [`${counted.length} dates from ${first} to ${last}`] : counted
  const sums =
    counted.length === 0 ? '' : `; sums of expired messages may still count it: ${dates.join(', ')}`
  return `done${missed}${sums}`
}
