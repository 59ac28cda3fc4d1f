import { memoize } from '../../schemas/memoize.ts'
import { BEGINNING, type Gap } from '../../schemas/position.ts'
import type { View } from '../../schemas/view.ts'
import type { DataFile, Snapshot, TableSchema } from '../delta/port.ts'
import { viewFields } from './published.ts'
import { isGaps, isText, isWhole, storedJson } from './stored-json.ts'

/** Table of the ticks of a view; the same columns, not partitioned. */
export function ticksTable(view: Pick<View, 'name'>): string {
  return `${view.name}_ticks`
}

export function ticksSchema(view: View): TableSchema {
  return { fields: viewFields(view), partitionBy: [] }
}

/** Position up to which the ticks of one chain are committed. */
export const tickApp = (view: string, hash: string, partition: number) => `tick/${view}/${hash}/${partition}`
/** Raised by every tick of a chain, replacing ones included, so that two equal positions exclude each other. */
export const tickCounterApp = (view: string, hash: string, partition: number) =>
  `tick-counter/${view}/${hash}/${partition}`
/**
 * When speed had last read to the end of the log before it committed the chain's last tick, in milliseconds since 1970 by its
 * clock: every message accepted before is in the ticks up to the chain's position. A commit that raises it and adds no file
 * says 'still here'. Never lowered.
 */
export const tickEndApp = (view: string, hash: string, partition: number) =>
  `tick-end/${view}/${hash}/${partition}`
/** One tick: the cells of the blocks `(from, to]` of one partition under one definition. */
export interface Tick {
  readonly file: DataFile
  readonly hash: string
  readonly partition: number
  readonly from: number
  readonly to: number
  /** Log time at `to`. */
  readonly toMs: number
  readonly gaps: readonly Gap[]
}

/** The tags that a tick's file carries. */
export function tickTags(tick: Omit<Tick, 'file'>): Record<string, string> {
  return { tick: JSON.stringify(tick) }
}

/** The ticks that a version of a ticks table names, by definition, partition and position. Throws `E_TABLE_DAMAGED`. */
export function ticksOf(snapshot: Snapshot | null): readonly Tick[] {
  return snapshot === null ? [] : ticksIn(snapshot)
}

const ticksIn = memoize((snapshot: Snapshot): readonly Tick[] =>
  [...snapshot.files.values()]
    .filter((file) => file.tags.tick !== undefined)
    .map(tickOf)
    .sort((a, b) => a.partition - b.partition || a.from - b.from || a.to - b.to),
)

const TAG = {
  hash: isText,
  partition: isWhole,
  from: isWhole,
  to: isWhole,
  toMs: isWhole,
  gaps: isGaps,
} as const

const tickOf = memoize((file: DataFile): Tick => {
  return { ...storedJson<Omit<Tick, 'file'>>(`the tag of ${file.path}`, file.tags.tick!, TAG), file }
})

/** The ticks that follow `from` without a break, each beginning where its predecessor ends. */
export function chainFrom(ticks: readonly Tick[], hash: string, partition: number, from: number): Tick[] {
  const next = new Map(
    ticks.filter((t) => t.hash === hash && t.partition === partition).map((t) => [t.from, t] as const),
  )
  const chain: Tick[] = []
  for (let tick = next.get(from); tick !== undefined; tick = next.get(tick.to)) chain.push(tick)
  return chain
}

/** How far the ticks of a chain go, and up to when they hold everything accepted. */
export interface Vouched {
  /** Position of the last tick committed. */
  readonly to: number
  /** As in `tickEndApp`. */
  readonly endMs: number
}

/** What the ticks of a chain vouch for; null before speed was at the log's end for the first time. */
export function vouchedBy(
  snapshot: Snapshot | null,
  view: string,
  hash: string,
  partition: number,
): Vouched | null {
  const endMs = snapshot?.txns.get(tickEndApp(view, hash, partition))?.version
  if (endMs === undefined) return null
  return { to: snapshot!.txns.get(tickApp(view, hash, partition))?.version ?? BEGINNING, endMs }
}
