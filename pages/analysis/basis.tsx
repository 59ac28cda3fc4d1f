import type { Stats, View } from '../api/types.ts'
import { count } from '../time/words.ts'

/** What the figures rest on: who answered, up to where, from which files. */
export function Basis({ stats, view }: { stats: Stats; view: View }) {
  const { batch, realtime } = stats.answered_by
  const all = Math.max(1, batch + realtime)
  const { explain } = stats
  const facts: [string, string][] = [
    ['From batch', `${count(batch)} messages (${((100 * batch) / all).toFixed(1)} %)`],
    ['In real time', `${count(realtime)} messages (${((100 * realtime) / all).toFixed(1)} %)`],
    ['Tidemark', positions(stats.tidemark)],
    ['Version', stats.view_version === null ? 'none is published yet' : String(stats.view_version)],
    ['View', `${view.name}, definition ${view.definition}`],
    ['Complete', stats.complete ? 'yes' : 'no'],
  ]
  if (explain !== undefined)
    facts.push(
      ['Folds everything up to', positions(explain.position as { [partition: string]: number })],
      ['Run', String(explain.run ?? 'none')],
      ['Version of the messages', String(explain.lake_version ?? 'none')],
      ['Files', count(Number(explain.files))],
      ['Ticks', count((explain.ticks as unknown[]).length)],
    )
  return (
    <details class="basis">
      <summary>What this rests on</summary>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}

function positions(at: { readonly [partition: string]: number }): string {
  const all = Object.entries(at)
  if (all.length === 0) return 'the beginning'
  return all.map(([partition, offset]) => `block ${count(offset)} of partition ${partition}`).join(', ')
}
