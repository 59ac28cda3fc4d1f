import type { Snapshot } from '../lake/delta/port.ts'
import { viewState } from '../lake/tables/published.ts'
import { chainFrom, type Tick } from '../lake/tables/ticks.ts'
import { BEGINNING, offsetIn } from '../schemas/position.ts'
import { definitionHash, storedDefinition, type View } from '../schemas/view.ts'

/** One chain that speed must keep: a definition, and where its committed ticks end. */
export interface Target {
  readonly view: View
  readonly hash: string
  /** Offset up to which the ticks that continue the tidemark are committed. */
  readonly from: number
  /** Log time at `from`, 0 when not known. */
  readonly fromMs: number
}

/**
 * What speed must fold, given the published version and the ticks there are: the published definition and,
 * while they differ, the configured one, each from the tidemark on. Committed ticks that continue the tidemark
 * without a break stand; whatever lies beyond a break, or straddles the tidemark, is folded anew. A view of which nothing is
 * published begins where the log does, at `logStart`, and goes on with the ticks that begin there. Throws `E_NEWER`.
 */
export function targets(
  configured: View,
  published: Snapshot | null,
  ticks: readonly Tick[],
  partition: number,
  logStart: number = BEGINNING,
): Target[] {
  const state = viewState(published)
  const tidemark = state ? offsetIn(state.tidemark, partition) : BEGINNING
  const tidemarkMs = state?.logTimeMs?.[partition] ?? 0
  const views = new Map<string, View>()
  if (state) views.set(state.hash, storedDefinition(state))
  views.set(definitionHash(configured), configured)
  return [...views].map(([hash, view]) => {
    const last = chainFrom(ticks, hash, partition, tidemark).at(-1)
    const target = { view, hash, from: last?.to ?? tidemark, fromMs: last?.toMs ?? tidemarkMs }
    if (state !== null || target.from >= logStart) return target
    const later = chainFrom(ticks, hash, partition, logStart).at(-1)
    return { ...target, from: later?.to ?? logStart, fromMs: later?.toMs ?? target.fromMs }
  })
}

/** Ticks of the same chain that `(from, to]` replaces: all that share a block with it. */
export function replacedBy(
  ticks: readonly Tick[],
  tick: { hash: string; partition: number; from: number; to: number },
): Tick[] {
  return ticks.filter(
    (old) =>
      old.hash === tick.hash && old.partition === tick.partition && old.from < tick.to && old.to > tick.from,
  )
}
