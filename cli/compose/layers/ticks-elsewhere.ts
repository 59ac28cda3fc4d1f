import { allViews, type LakeTables } from '../../../lake/tables/deployment.ts'
import { viewState } from '../../../lake/tables/published.ts'
import { tickApp } from '../../../lake/tables/ticks.ts'
import type { LogReader } from '../../../log/port.ts'
import { type Clock, sleep } from '../../../schemas/ports/clock.ts'
import type { Ticker } from '../../../schemas/ports/layers.ts'
import { definitionHash } from '../../../schemas/view.ts'

const LOOK_MS = 500
/** Beyond a tick, how long one that is due may take. */
const GRACE_MS = 5_000

/**
 * Speed workers in other processes commit a tick of what was accepted within `tickMs` and some seconds: this waits for it.
 */
export function ticksElsewhere(
  { log, tables, tickMs }: { log: LogReader; tables: LakeTables; tickMs: number },
  clock: Clock,
): Ticker {
  return {
    async tick() {
      const ends = log.partitions().map((partition) => [partition, log.end(partition)] as const)
      const untilMs = clock.nowMs() + tickMs + GRACE_MS
      for (;;) {
        const behind = await firstBehind(tables, ends)
        if (behind === null) return null
        if (clock.nowMs() >= untilMs) return `the ticks of ${behind} are behind the log`
        await sleep(clock, LOOK_MS)
      }
    },
  }
}

/** A view whose ticks do not reach `ends`, with the partition; null when all do. */
async function firstBehind(
  tables: LakeTables,
  ends: readonly (readonly [partition: number, end: number])[],
): Promise<string | null> {
  for (const { view, ticks, published } of allViews(tables)) {
    const hash = viewState(await published.snapshot())?.hash ?? definitionHash(view)
    const snapshot = await ticks.snapshot()
    for (const [partition, end] of ends) {
      const to = snapshot?.txns.get(tickApp(view.name, hash, partition))?.version ?? -1
      if (to < end) return `${view.name} in partition ${partition}`
    }
  }
  return null
}
