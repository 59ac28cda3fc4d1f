import type { Explain, Stats, View } from '../api/types.ts'
import { count } from '../time/words.ts'

/** What the figures rest on: which layers answered, up to where, from which files. */
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
      ['Folds everything up to', positions(explain.position)],
      ['Run', String(explain.run ?? 'none')],
      ['Version of the messages', String(explain.lake_version ?? 'none')],
      ['Files', sized(explain.files)],
      ['Ticks', sized(explain.ticks)],
      ['Open blocks', explain.open.map(blocks).join(', ') || 'none'],
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

function sized(parts: Explain['files']): string {
  if (parts.length === 0) return 'none'
  const sum = (of: (part: Explain['files'][number]) => number) => parts.reduce((so, part) => so + of(part), 0)
  const rows = sum((part) => part.rows ?? 0)
  const bytes = sum((part) => part.bytes ?? 0)
  return `${count(parts.length)} with ${count(rows)} rows in ${count(bytes)} bytes, of which ${count(sum((part) => part.messages))} messages`
}

function blocks({ partition, from, to, messages }: Explain['open'][number]): string {
  return `${count(from + 1)} to ${count(to)} of partition ${partition} with ${count(messages)} messages`
}

function positions(at: { readonly [partition: string]: number }): string {
  const all = Object.entries(at)
  if (all.length === 0) return 'the beginning'
  return all.map(([partition, offset]) => `block ${count(offset)} of partition ${partition}`).join(', ')
}
