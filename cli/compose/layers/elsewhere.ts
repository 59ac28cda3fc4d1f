import { highest, offsetIn, type Position, partitionsOf } from '../../../schemas/position.ts'
import { LAG_GRACE_MS, type Seen } from '../../../serving/answer.ts'
import { iso } from '../../../serving/http/present.ts'

/** Whose own /metrics tell what no commit does. */
const TOLD_BY = {
  collector:
    'each collector process tells at its health.listen who is connected, and what was accepted and refused',
  log: 'the processes that read and write it tell at their health.listen how they reach it',
  lake: 'each lake-writer process tells at its health.listen how it does; this is what it committed',
  speed: 'each speed process tells at its health.listen how it does; this is what it committed',
  batch: 'the batch process tells at its health.listen what runs now and next; runs that ended are recorded',
}

const elsewhere = (layer: keyof typeof TOLD_BY) => ({ state: 'elsewhere', reason: TOLD_BY[layer] })

/**
 * What a node that only serves can say of the layers in other processes: as far as the lake, where all of them meet, shows it,
 * and which process tells the rest. `tickMs`: how often speed commits.
 */
export function layersElsewhere(seen: readonly Seen[], tickMs: number) {
  const covered = Object.fromEntries(seen.map((one) => [one.dataset, one]))
  const datasets = Object.values(covered)
  const sealed = highest(...datasets.map((one) => one.covered))
  const vouched = seen.flatMap((one) => one.vouched)
  const known = highest(
    sealed,
    ...seen.map(({ chainEnd }) => chainEnd),
    ...vouched.map(({ partition, by }): Position => (by === null ? {} : { [partition]: by.to })),
  )
  const endMs = vouched.length === 0 ? null : Math.min(...vouched.map(({ by }) => by?.endMs ?? 0))
  return {
    collector: elsewhere('collector'),
    log: { ...elsewhere('log'), known_to: known },
    lake: {
      ...elsewhere('lake'),
      covered: sealed,
      versions: Object.fromEntries(datasets.map((one) => [one.dataset, one.messagesSeen ?? 0])),
      lag_blocks: partitionsOf(known).reduce(
        (sum, partition) => sum + Math.max(0, offsetIn(known, partition) - offsetIn(sealed, partition)),
        0,
      ),
    },
    speed: {
      ...elsewhere('speed'),
      at_log_end: endMs ? iso(endMs) : null,
      late_after: endMs ? iso(endMs + tickMs + LAG_GRACE_MS) : null,
      chains: seen.map(({ view, hash, chainEnd }) => ({ view, definition: hash, committed: chainEnd })),
    },
    batch: elsewhere('batch'),
  }
}
