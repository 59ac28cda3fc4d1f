import { figures, keyOf } from '../api/types.ts'
import { Sparkline } from '../charts/sparkline.tsx'
import { KeyName } from '../names/name.tsx'
import { ago, clock, count, valueText } from '../time/words.ts'
import type { Move } from './moves.ts'
import type { LiveRow } from './rows.ts'

/** What changed within it is marked. */
const NEWEST_MS = 1_500

interface Props {
  readonly row: LiveRow
  readonly move: Move | undefined
  readonly nowMs: number
  readonly zone: string
  /** Where the last hour of the key is. */
  readonly href: string
}

/** The open cell of one key. */
export function LiveRowOf({ row, move, nowMs, zone, href }: Props) {
  const { view, cell, names, isFine } = row
  const quietMs = move === undefined ? null : nowMs - move.changedMs
  const isNewest = quietMs !== null && quietMs < NEWEST_MS
  return (
    <tr
      class={`${isNewest ? 'newest' : ''} ${isFine ? 'fine' : ''}`.trim() || undefined}
      data-cell={[view.name, ...keyOf(view, cell)].join('/')}
    >
      <th scope="row">
        <a class="row" href={href}>
          <KeyName values={names} />
        </a>
      </th>
      <td class="newest-cell">{quietMs === null ? '–' : isNewest ? 'now' : ago(quietMs)}</td>
      <td class="spark-cell">
        <Sparkline values={move?.values ?? []} unit={view.gauges[0]!.unit} />
      </td>
      {view.gauges.map(({ name, unit }) => {
        const { mean = null } = figures(cell, name) as { mean?: number | null }
        return (
          <td key={name} class="number now" data-gauge={name}>
            {valueText(mean, unit)}
            {unit === '%' && mean !== null && <meter min={0} max={100} value={mean} aria-hidden="true" />}
          </td>
        )
      })}
      <td class="number" data-gauge="messages">
        {count(cell.messages)}
      </td>
      <td>
        <time dateTime={cell.time_stamp}>{clock(Date.parse(cell.time_stamp), zone)}</time>
      </td>
    </tr>
  )
}
