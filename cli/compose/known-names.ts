import type { KnownNames } from '../../collector/intake/known-names.ts'
import type { LogReader } from '../../log/port.ts'
import { splitKey } from '../../schemas/key.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { Answers } from '../../serving/answers.ts'
import type { Speed } from '../../speed/speed.ts'
import { isUnpublished } from './unpublished.ts'

/** How often it is looked whether the log is read to its end. The collector waits for it, but not for ever. */
const LOOK_MS = 20

/**
 * The names that accepted messages had, those of the newest first: of every column that is in the key of some view. They are in the lake,
 * or in the log below its end of now, which is read first.
 */
export async function knownNames(
  answers: Answers,
  { speed, journal, clock }: { speed: Pick<Speed, 'status'>; journal: LogReader; clock: Clock },
): Promise<KnownNames[]> {
  const end = Math.max(...journal.partitions().map((partition) => journal.end(partition)))
  while (speed.status().chains.some(({ readTo }) => readTo < end)) await sleep(clock, LOOK_MS)
  const columns = new Map<string, { dataset: string; column: string; lastMs: Map<string, number> }>()
  for (const { view, dataset } of answers.views()) {
    if (isUnpublished(answers, view.name)) continue
    const seen = view.key.map((column) => {
      const id = `${dataset.name} ${column}`
      const found = columns.get(id) ?? { dataset: dataset.name, column, lastMs: new Map<string, number>() }
      columns.set(id, found)
      return found.lastMs
    })
    for (const { key, lastMs } of answers.summaries(view.name))
      for (const [c, name] of splitKey(key).entries())
        seen[c]!.set(name, Math.max(lastMs, seen[c]!.get(name) ?? lastMs))
  }
  return [...columns.values()].map(({ dataset, column, lastMs }) => {
    const names = [...lastMs].sort(([, a], [, b]) => b - a).map(([name]) => name)
    return { dataset, column, names }
  })
}
