/**
 * A position in the log: per partition, the offset of the last block included.
 *
 * Offsets count blocks from 0, so a partition of which nothing is included stands at `BEGINNING` (−1)
 * and may be left out. Ranges between positions are `(from, to]`.
 */
export type Position = { readonly [partition: number]: number }

/** The offset before a partition's first block. */
export const BEGINNING = -1

/** Rows imported past the log carry this partition. */
export const IMPORT_PARTITION = -1

/** The offset of the last block of `partition` that `position` includes. */
export function offsetIn(position: Position, partition: number): number {
  return position[partition] ?? BEGINNING
}

/** The partitions a position names, ascending. */
export function partitionsOf(...positions: Position[]): number[] {
  const all = new Set<number>()
  for (const position of positions) for (const name of Object.keys(position)) all.add(Number(name))
  return [...all].sort((a, b) => a - b)
}

/** Whether `a` includes every block that `b` includes. */
export function covers(a: Position, b: Position): boolean {
  return partitionsOf(b).every((partition) => offsetIn(a, partition) >= offsetIn(b, partition))
}

/** Whether two positions include the same blocks. */
export function samePosition(a: Position, b: Position): boolean {
  return covers(a, b) && covers(b, a)
}

/** The blocks that every one of `positions` includes; the beginning when there are none. */
export function lowest(...positions: Position[]): Position {
  const result: { [partition: number]: number } = {}
  for (const partition of partitionsOf(...positions)) {
    result[partition] = Math.min(...positions.map((position) => offsetIn(position, partition)))
  }
  return result
}

/** The blocks that any of `positions` includes. */
export function highest(...positions: Position[]): Position {
  const result: { [partition: number]: number } = {}
  for (const partition of partitionsOf(...positions)) {
    result[partition] = Math.max(...positions.map((position) => offsetIn(position, partition)))
  }
  return result
}

/**
 * Blocks `(from, to]` of the log that could not be read, with the log times between which they were
 * appended (milliseconds since 1970; the times of the readable neighbours).
 */
export interface Gap {
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly fromMs: number
  readonly toMs: number
  readonly reason: string
}

/** `gaps` and one more; it makes one longer that it touches and that has its reason. */
export function withGap(gaps: readonly Gap[], gap: Gap): Gap[] {
  const before = gaps.find(({ partition, from, to, reason }) => {
    return partition === gap.partition && reason === gap.reason && from <= gap.from && to >= gap.from
  })
  if (before === undefined) return mergeGaps(gaps, [gap])
  const longer = { ...before, to: Math.max(before.to, gap.to), toMs: Math.max(before.toMs, gap.toMs) }
  return mergeGaps(
    gaps.filter((one) => one !== before),
    [longer],
  )
}

/** `gaps` without duplicates, in log order. */
export function mergeGaps(...lists: (readonly Gap[])[]): Gap[] {
  const byPlace = new Map<string, Gap>()
  for (const gap of lists.flat()) byPlace.set(`${gap.partition}/${gap.from}/${gap.to}/${gap.reason}`, gap)
  return [...byPlace.values()].sort((a, b) => a.partition - b.partition || a.from - b.from)
}
