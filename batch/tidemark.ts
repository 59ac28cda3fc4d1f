import type { Snapshot } from '../lake/delta/port.ts'
import { coveredMs, coveredPosition, logFacts } from '../lake/tables/messages.ts'
import { viewState } from '../lake/tables/published.ts'
import { chainFrom, type Tick } from '../lake/tables/ticks.ts'
import { BEGINNING, offsetIn, type Position, partitionsOf } from '../schemas/position.ts'
import { definitionHash, type View } from '../schemas/view.ts'

/** So many ticks of log time behind, speed is taken to be down, and the run goes on without it. */
const TICKS_BEHIND_MAX = 10

export interface TidemarkInput {
  readonly view: View
  readonly messages: Snapshot
  readonly published: Snapshot
  readonly ticks: readonly Tick[]
  readonly tickMs: number
}

/**
 * Per partition the greatest tick boundary at or below what `messages` covers, or all that is covered when speed is down
 * or the partition takes no more blocks. Never lower than before.
 */
export function chooseTidemark({ view, messages, published, ticks, tickMs }: TidemarkInput): {
  tidemark: Position
  logTimeMs: { [partition: number]: number }
} {
  const state = viewState(published)
  const hash = definitionHash(view)
  const covered = coveredPosition(messages)
  const { closed } = logFacts(messages)
  const known = Object.values(state?.logTimeMs ?? {})
  const createdMs = Number(messages.configuration['tidemark.created'] ?? 0)
  const tidemark: { [partition: number]: number } = {}
  const logTimeMs: { [partition: number]: number } = {}
  for (const partition of partitionsOf(covered, state?.tidemark ?? {})) {
    const before = state ? offsetIn(state.tidemark, partition) : BEGINNING
    const beforeMs = state?.logTimeMs?.[partition] ?? Math.max(createdMs, ...known)
    const end = offsetIn(covered, partition)
    const endMs = coveredMs(messages, partition)
    const own = ticks.filter((tick) => tick.hash === hash && tick.partition === partition)
    const chain = chainFrom(ticks, hash, partition, before)
    // Where nothing is published the ticks may begin later than the messages do: where the log was trimmed to.
    const boundaries = state === null && chain.length === 0 ? own : chain
    const last = boundaries.filter((tick) => tick.to <= end).at(-1) ?? { to: before, toMs: beforeMs }
    // A view that is new has no ticks of what was there before it.
    const isNew = state === null && own.length === 0
    const isBehind = endMs - last.toMs > TICKS_BEHIND_MAX * tickMs
    const withoutTicks = closed[partition] !== undefined || isNew || isBehind
    tidemark[partition] = Math.max(before, withoutTicks ? end : last.to)
    logTimeMs[partition] = withoutTicks ? endMs : last.toMs
  }
  return { tidemark, logTimeMs }
}
