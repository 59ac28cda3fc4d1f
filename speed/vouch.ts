import type { Snapshot, Txn } from '../lake/delta/port.ts'
import type { TickedView } from '../lake/tables/deployment.ts'
import { tickCounterApp, tickEndApp, ticksOf } from '../lake/tables/ticks.ts'
import type { LogReader } from '../log/port.ts'
import { targets } from './targets.ts'
import { isLost } from './view-chains.ts'

/** Ends remembered of a partition: at one a second, those of several minutes. */
const ENDS_MAX = 600
/** Tries of one commit against those of workers. */
const TRIES_MAX = 20

/** Where the log ended at times past. */
export class EndsSeen {
  readonly #ends = new Map<number, { atMs: number; end: number }[]>()

  /** Notes where every partition ends now. */
  note(log: Pick<LogReader, 'partitions' | 'end'>, atMs: number): void {
    for (const partition of log.partitions()) {
      const ends = this.#ends.get(partition) ?? []
      this.#ends.set(partition, ends)
      ends.push({ atMs, end: log.end(partition) })
      if (ends.length > ENDS_MAX) ends.shift()
    }
  }

  /** The last time when the partition did not go beyond `position`; null when none is known. */
  lastWithin(partition: number, position: number): number | null {
    return this.#ends.get(partition)?.findLast(({ end }) => end <= position)?.atMs ?? null
  }
}

/**
 * Says in the lake, for workers that commit ticks and do not know where the log ends, up to when everything accepted is in a
 * view's ticks (`tickEndApp`). Whether there was anything new to say.
 */
export async function vouch(
  { view, published, ticks }: TickedView,
  log: Pick<LogReader, 'partitions' | 'start'>,
  ends: EndsSeen,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const version = await published.snapshot()
    const base = (await ticks.snapshot()) as Snapshot
    const txns: Record<string, Txn> = {}
    for (const partition of log.partitions()) {
      for (const { hash, from } of targets(view, version, ticksOf(base), partition, log.start(partition))) {
        const endMs = ends.lastWithin(partition, from)
        const app = tickEndApp(view.name, hash, partition)
        if (endMs === null || endMs <= (base.txns.get(app)?.version ?? 0)) continue
        const counter = tickCounterApp(view.name, hash, partition)
        txns[app] = { version: endMs, lastUpdatedMs: null }
        txns[counter] = { version: (base.txns.get(counter)?.version ?? 0) + 1, lastUpdatedMs: null }
      }
    }
    if (Object.keys(txns).length === 0) return false
    try {
      await ticks.commit(base, { operation: 'STILL HERE', dataChange: false, txns })
      return true
    } catch (error) {
      if (!isLost(error) || tries === TRIES_MAX) throw error
    }
  }
}
