import type { TickedView } from '../lake/tables/deployment.ts'
import type { RepeatStates } from '../lake/tables/repeat-states.ts'
import type { FetchedRecord } from '../log/kafka/client.ts'
import { GivenLog } from '../log/kafka/given-log.ts'
import type { LogReader } from '../log/port.ts'
import { TidemarkError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { quietWake } from '../schemas/ports/wake.ts'
import { DAY_MS } from '../schemas/time.ts'
import { startSpeed } from './speed.ts'

export interface FoldGivenDeps {
  readonly log: LogReader
  readonly states: RepeatStates
  readonly views: readonly TickedView[]
  readonly clock: Clock
  readonly retentionMs: number
  logLine(line: string): void
}

export interface Folded {
  readonly partition: number
  /** Records that were given. */
  readonly given: number
  /** Blocks that had to be read from the log besides. */
  readonly asked: number
}

/** Ticks are due when the records are. */
const NEVER_MS = 20 * DAY_MS

/**
 * Folds records of one partition that another program read, and commits the ticks, one for each group of records. It begins where
 * the lake's ticks end: records that are in them count no second time, from wherever and however often they are given. Throws `E_LOG` where
 * not all could be committed; then those that were are.
 */
export async function foldGiven(
  partition: number,
  groups: AsyncIterable<readonly FetchedRecord[]>,
  deps: FoldGivenDeps,
): Promise<Folded> {
  const { retentionMs, ...rest } = deps
  const log = new GivenLog(deps.log, partition)
  const ownership = { owned: () => [partition], onChange: () => () => {} }
  const speed = await startSpeed(
    { tickMs: NEVER_MS, retentionMs },
    { ...rest, log, ownership, wake: quietWake() },
  )
  let given = 0
  try {
    for await (const records of groups) {
      log.give(records)
      given += records.length
      const reason = await speed.tick()
      if (reason !== null) throw new TidemarkError('E_LOG', `partition ${partition}: ${reason}`)
    }
  } finally {
    await speed.close()
  }
  return { partition, given, asked: log.asked }
}
