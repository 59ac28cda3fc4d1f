import { decodeParquet } from '../../../lake/parquet/codec.ts'
import type { CellFold } from '../../../schemas/cell-fold.ts'
import { noCells } from '../../../schemas/cells.ts'
import { offsetIn } from '../../../schemas/position.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import type { View } from '../../../schemas/view.ts'
import type { Range } from '../../../serving/answers.ts'
import { countOf, differences, minuteDifferences } from '../oracle.ts'
import type { Cluster } from './cluster.ts'
import { SKEW_MS, TICK_MS, VIEWS } from './deployment.ts'

/** A complete answer contains what was accepted longer ago than this: a tick, five seconds, a poll of the lake, and by how much clocks differ. */
const FRESH_MS = TICK_MS + 5_000 + 1_000 + SKEW_MS.speed

/** What a gap says where it is not known which messages stood in the log before. */
const MAY_COUNT_TWICE = 'some may count twice'

/** Every answer equals the fold over the messages at or below the position that it names, each once; and complete ones are fresh. */
export function checkAnswers(cluster: Cluster): { complete: boolean } {
  const { answers, accepted, clock } = cluster
  const range = { fromMs: 0, toMs: clock.nowMs() + DAY_MS }
  let all = true
  for (const { view: configured } of answers.views()) {
    const { position, gaps, definition } = answers.basis(configured.name)
    // It answers by the definition that is published.
    const view = VIEWS.get(definition)!
    const unexpected = gaps.filter(
      ({ reason }) => cluster.statesLost === 0 || !reason.includes(MAY_COUNT_TWICE),
    )
    if (unexpected.length > 0) throw new Error(`${view.name}: gaps: ${JSON.stringify(unexpected)}`)
    const expected = accepted.oracle.cells(view, position)
    const wrong: string[] = []
    if (gaps.length > 0) {
      all = false
      wrong.push(...missing(cluster, view, expected, range))
      if (wrong.length > 0) throw new Error(`${view.name}: ${wrong.slice(0, 4).join('; ')} beside a gap`)
      continue
    }
    for (const { key } of expected.keys()) {
      const stats = answers.stats(view.name, key, range)
      if (stats === null) {
        wrong.push(`${key} is unknown`)
        continue
      }
      wrong.push(...differences(expected, range, stats))
      const cells = answers.cells(view.name, key, range)?.cells ?? noCells(view)
      wrong.push(...minuteDifferences(expected, key, range, cells))
    }
    const { complete } = answers.whole(view.name, range)
    all &&= complete
    if (complete) wrong.push(...stale(cluster, position))
    if (wrong.length > 0)
      throw new Error(`${view.name}: ${wrong.slice(0, 4).join('; ')} at ${JSON.stringify(position)}`)
  }
  return { complete: all }
}

/** Where it is said that messages may count twice, none may be missing, and no answer is complete. */
function missing({ answers }: Cluster, view: View, expected: CellFold, range: Range): string[] {
  const wrong = answers.whole(view.name, range).complete ? ['a complete answer in spite of a gap'] : []
  for (const { key } of expected.keys()) {
    const found = answers.stats(view.name, key, range)?.messages ?? 0
    const least = countOf(expected, key, range)
    if (found < least) wrong.push(`${key}: ${found} messages of ${least}`)
  }
  return wrong
}

function stale({ accepted: { oracle }, clock }: Cluster, position: Record<number, number>): string[] {
  const boundMs = clock.passedMs - FRESH_MS
  const missing = oracle.blocks.find((block) => {
    return oracle.acceptedMs(block) < boundMs && block.offset > offsetIn(position, block.partition)
  })
  return missing === undefined ? [] : [`a complete answer lacks block ${missing.partition}/${missing.offset}`]
}

/** The table of messages holds exactly those that count. */
export async function checkMessages(cluster: Cluster): Promise<void> {
  const { messages } = cluster.tablesOn(cluster.store).datasets[0]!
  const snapshot = await messages.snapshot()
  const found: string[] = []
  for (const file of snapshot?.files.values() ?? []) {
    const { partition, offset, index } = await decodeParquet(await messages.readFile(file), [
      'partition',
      'offset',
      'index',
    ])
    partition!.forEach((p, i) => void found.push(`${p}/${offset![i]}/${index![i]}`))
  }
  const twice = found.filter((row, i) => found.indexOf(row) !== i)
  const foreign = found.filter((row) => !cluster.accepted.rows.has(row))
  if (twice.length + foreign.length > 0 && !cluster.mayCountTwice)
    throw new Error(`messages holds twice ${twice.slice(0, 3)}, and repeats ${foreign.slice(0, 3)}`)
  const lacks = [...cluster.accepted.rows].filter((row) => !found.includes(row))
  if (lacks.length > 0) throw new Error(`messages lacks ${lacks.slice(0, 3)}`)
}
