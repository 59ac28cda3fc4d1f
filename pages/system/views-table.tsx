import { Heads } from '../shell/heads.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { count } from '../time/words.ts'
import { isHere, type Position, type Status } from './status.ts'

/** Per view, how far the log is answered by which layer: the tidemark against the end of the log. */
export function ViewsTable({ status }: { status: Status }) {
  const { log, serving, speed } = status
  /** The last block of the partition that this process has, or how many blocks there are of those of others, counted from 0. */
  const blockOf = (position: Position) =>
    log.partition === undefined
      ? Object.values(position).reduce((sum, offset) => sum + offset + 1, -1)
      : (position[log.partition] ?? -1)
  const end = log.end ?? blockOf(log.known_to ?? {})
  return (
    <section>
      <h2>Views</h2>
      <p class="legend">
        <span class="part-batch">by batch, up to the tidemark</span>
        <span class="part-ticks">by committed ticks</span>
        <span class="part-open">by open cells</span>
        <span class="part-unread">not yet answered</span>
      </p>
      <Scroll label="Views">
        <table>
          <Heads
            columns={[
              'View',
              ['Version', 'number'],
              ['Tidemark', 'number'],
              ['Of the log', 'wide'],
              ['End of the log', 'number'],
              ['Open cells', 'number'],
              ['Keys', 'number'],
            ]}
          />
          <tbody>
            {serving.views.map(({ view, view_version: version, tidemark, position, keys }) => {
              const chain = isHere(speed) ? speed.chains.find((one) => one.view === view) : undefined
              const mark = blockOf(tidemark)
              const answered = blockOf(position)
              // Of a speed layer in other processes only what it committed is answered.
              const ends = [mark, isHere(speed) ? (chain?.committed_to ?? mark) : answered, answered, end]
              return (
                <tr key={view}>
                  <th scope="row">{view}</th>
                  <td class="number" data-figure={`${view}/view_version`}>
                    {version === null ? '–' : count(version)}
                  </td>
                  <td class="number" data-figure={`${view}/tidemark`}>
                    {mark < 0 ? 'none yet' : count(mark)}
                  </td>
                  <td class="wide">
                    <Parts ends={ends} from={Math.min(log.start ?? -1, mark)} />
                  </td>
                  <td class="number">{end < 0 ? 'none yet' : count(end)}</td>
                  <td class="number">{chain === undefined ? '–' : count(chain.open_cells)}</td>
                  <td class="number" data-figure={`${view}/keys`}>
                    {count(keys)}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  )
}

const PARTS = ['batch', 'ticks', 'open', 'unread'] as const

/** The log from its first block kept to its end, each part in the colour of what answers it. */
function Parts({ ends, from }: { ends: readonly number[]; from: number }) {
  const all = Math.max(1, ends.at(-1)! - from)
  let before = from
  return (
    <div class="parts" aria-hidden="true">
      {PARTS.map((part, i) => {
        const share = Math.max(0, ends[i]! - before) / all
        before = Math.max(before, ends[i]!)
        return <span key={part} class={`part-${part}`} style={{ width: `${(100 * share).toFixed(2)}%` }} />
      })}
    </div>
  )
}
