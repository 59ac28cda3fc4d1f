import type { Dataset } from '../../schemas/dataset.ts'
import { DAY_MS, utcDate } from '../../schemas/time.ts'

/** How long messages are kept: of all datasets, of one, or of one value of its first key, as a service. */
export interface KeepRule {
  /** Null: of every dataset that no other rule names. */
  readonly dataset: string | null
  /** Value of the dataset's first key; null: all that no other rule names. */
  readonly service: string | null
  /** Null: for ever. */
  readonly keepMs: number | null
}

export type Keep = readonly KeepRule[]

/** How long the messages of a dataset and service are kept; null: for ever. The rule that names most decides. */
export function keepMsOf(keep: Keep, dataset: string, service: string): number | null {
  const rule =
    keep.find((one) => one.dataset === dataset && one.service === service) ??
    keep.find((one) => one.dataset === dataset && one.service === null) ??
    keep.find((one) => one.dataset === null)
  return rule?.keepMs ?? null
}

/** The latest date that any message of the dataset may expire on at `nowMs`; null when none does. */
export function lastExpired(keep: Keep, { name }: Dataset, nowMs: number): string | null {
  const own = keep.filter(({ dataset }) => dataset === name)
  const rules = own.some(({ service }) => service === null)
    ? own
    : [...own, ...keep.filter(({ dataset }) => dataset === null)]
  const times = rules.flatMap(({ keepMs }) => (keepMs === null ? [] : [keepMs]))
  return times.length === 0 ? null : dateBefore(nowMs, Math.min(...times))
}

/** The last UTC date that ended `keepMs` ago: dates expire whole. */
export function dateBefore(nowMs: number, keepMs: number): string {
  return utcDate(nowMs - keepMs - DAY_MS)
}
