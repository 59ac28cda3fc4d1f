import { decodeParquet } from '../../../lake/parquet/codec.ts'
import { noCells } from '../../../schemas/cells.ts'
import { offsetIn } from '../../../schemas/position.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import { differences, minuteDifferences } from '../oracle.ts'
import type { Cluster } from './cluster.ts'
import { TICK_MS } from './deployment.ts'

/** A complete answer contains what was accepted longer ago than this: a tick, five seconds, and a poll of the lake. */
const FRESH_MS = TICK_MS + 5_000 + 1_000

/** Every answer equals the fold over the messages at or below the position that it names, each once; and complete ones are fresh. */
export function checkAnswers(cluster: Cluster): { complete: boolean } {
  const { answers, accepted, clock } = cluster
  const range = { fromMs: 0, toMs: clock.nowMs() + DAY_MS }
  let all = true
  for (const { view } of answers.views()) {
    const { position, gaps } = answers.basis(view.name)
    if (gaps.length > 0) throw new Error(`${view.name}: gaps: ${JSON.stringify(gaps)}`)
    const expected = accepted.oracle.cells(view, position)
    const wrong: string[] = []
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
  if (twice.length + foreign.length > 0)
    throw new Error(`messages holds twice ${twice.slice(0, 3)}, and repeats ${foreign.slice(0, 3)}`)
  const lacks = [...cluster.accepted.rows].filter((row) => !found.includes(row))
  if (lacks.length > 0) throw new Error(`messages lacks ${lacks.slice(0, 3)}`)
}
