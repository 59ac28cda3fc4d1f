import { allViews } from '../../lake/tables/deployment.ts'
import { coveredPosition } from '../../lake/tables/messages.ts'
import { namedPosition } from '../../lake/tables/named-position.ts'
import { offsetIn, partitionsOf } from '../../schemas/position.ts'
import type { Site } from './site.ts'

/** Notes what went with a deleted journal: what is not sealed when the next begins, for a seal may land until then. */
export async function noteLost({ oracle, tables }: Site): Promise<void> {
  const { datasets } = tables.all
  const all = [
    ...datasets.map(({ messages }) => messages),
    ...allViews(tables.all).flatMap(({ published, ticks }) => [published, ticks]),
  ]
  const named = namedPosition(...(await Promise.all(all.map((table) => table.snapshot()))))
  const coveredOf = new Map(
    await Promise.all(
      datasets.map(
        async ({ dataset, messages }) => [dataset.name, coveredPosition(await messages.snapshot())] as const,
      ),
    ),
  )
  for (const partition of oracle.partitions()) {
    const known = partitionsOf(named).includes(partition)
    for (let offset = 0; offset <= oracle.end(partition); offset++) {
      const block = oracle.block(partition, offset)
      if (block === null) continue
      if (offset <= offsetIn(coveredOf.get(block.messages.form.dataset) ?? {}, partition)) continue
      if (known) oracle.suspect(partition, offset)
      else oracle.drop(partition, offset)
    }
  }
}
