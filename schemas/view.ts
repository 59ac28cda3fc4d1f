import { createHash } from 'node:crypto'
import type { Gauge } from './gauges.ts'

/**
 * A view's definition, as data. From this one value come the TypeScript cell (`cell.ts`), the SQL of the
 * batch engines (`view-sql.ts`) and the columns of the published table (`view-table.ts`).
 */
export interface View {
  /** Also the name of the view's table. */
  readonly name: string
  /** The message columns that name a cell, besides its minute. */
  readonly key: readonly ('service' | 'host')[]
  /** Length of a cell's time bucket; a divisor of one hour. */
  readonly bucketMs: number
  /** What is aggregated: gauge values times `scale`. */
  readonly gauges: readonly { readonly gauge: Gauge; readonly scale: number }[]
}

/**
 * Raised when the meaning of a cell changes in code rather than in a definition, so that what was computed
 * by the old meaning is recomputed.
 */
const CELL_REVISION = 1

/** The definition hash: 16 hexadecimal digits of SHA-256 over the definition as canonical JSON. */
export function definitionHash(view: View): string {
  return createHash('sha256')
    .update(`${CELL_REVISION} ${definitionJson(view)}`)
    .digest('hex')
    .slice(0, 16)
}

/** The definition as it is stored beside what was computed from it. */
export function definitionJson(view: View): string {
  const gauges = view.gauges.map(({ gauge, scale }) => ({ gauge, scale }))
  return JSON.stringify({ name: view.name, key: view.key, bucketMs: view.bucketMs, gauges })
}

/** The inverse of `definitionJson`. */
export function parseDefinition(json: string): View {
  return JSON.parse(json) as View
}

/** One hour: the unit of recomputation. */
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** The UTC date of a time, as `YYYY-MM-DD`. */
export function utcDate(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}

/** Start of the bucket of length `ms` that holds `timeMs`; right for times before 1970 too. */
export function bucketStart(timeMs: number, ms: number): number {
  return Math.floor(timeMs / ms) * ms
}
