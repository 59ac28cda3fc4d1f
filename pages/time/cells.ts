import type { Range } from './range.ts'
import { offsetAt, wallOf } from './zone.ts'

/** Cells longer than a minute begin at multiples of their length in UTC, wherever the one is who asks. */

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/**
 * The range of whole cells that is meant by one of `zone` that cuts some: what runs up to now has the cell that goes on; a date
 * picked in any zone is that date; else the borders nearest to those that were asked for.
 */
export function wholeCells(range: Range, cellMs: number, zone: string): Range {
  if (cellMs <= MINUTE_MS || range.toMs <= range.fromMs) return range
  const [from, to] =
    range.last === null && cellMs % DAY_MS === 0
      ? [wallOf(range.fromMs, zone), wallOf(range.toMs, zone)]
      : [range.fromMs, range.toMs]
  const fromMs = Math.round(from / cellMs) * cellMs
  const toMs = (range.last === null ? Math.round(to / cellMs) : Math.ceil(to / cellMs)) * cellMs
  return { ...range, fromMs, toMs: Math.max(toMs, fromMs + cellMs) }
}

/** The zone by whose clock cells are named: the one that was asked for where its hours are those of the cells, else UTC. */
export function cellZone(zone: string, cellMs: number, { fromMs, toMs }: Range): string {
  const fits = [fromMs, toMs].every((ms) => offsetAt(ms, zone) % cellMs === 0)
  return cellMs <= MINUTE_MS || fits ? zone : 'UTC'
}
