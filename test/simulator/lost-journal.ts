import { coveredPosition } from '../../lake/tables/messages.ts'
import { namedPosition } from '../../lake/tables/named-position.ts'
import { offsetIn, partitionsOf } from '../../schemas/position.ts'
import type { Site } from './site.ts'

/** Notes what went with a deleted journal: what is not sealed when the next begins, for a seal may land until then. */
export async function noteLost({ oracle, tables }: Site): Promise<void> {
  const messages = await tables.messages.snapshot()
  const named = namedPosition(messages, await tables.view.snapshot(), await tables.ticks.snapshot())
  const covered = coveredPosition(messages)
  for (const partition of oracle.partitions()) {
    const known = partitionsOf(named).includes(partition)
    for (let offset = offsetIn(covered, partition) + 1; offset <= oracle.end(partition); offset++) {
      if (known) oracle.suspect(partition, offset)
      else oracle.drop(partition, offset)
    }
  }
}
