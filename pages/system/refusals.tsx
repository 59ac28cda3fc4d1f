import { visible } from '../names/visible.ts'
import { Heads } from '../shell/heads.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { count, moment } from '../time/words.ts'
import { alike } from './alike.ts'
import type { Collector, Refusal } from './status.ts'

/** Refused lines: how many for which reason, and the last of them, those alike as one. */
export function Refusals(props: { collector: Collector; last: readonly Refusal[]; zone: string }) {
  const { collector, last, zone } = props
  const { refusals } = collector
  return (
    <section>
      <h2>Refused lines</h2>
      {refusals.length === 0 ? (
        <p class="lead">None since the start.</p>
      ) : (
        <>
          <ul class="counts">
            {refusals.map(({ code, refused }) => (
              <li key={code}>
                <code>{code}</code> <span data-figure={`refusals/${code}`}>{count(refused)}</span>
              </li>
            ))}
          </ul>
          <Scroll label="Lines refused last">
            <table>
              <Heads columns={['Last', 'From', [`Of the last ${count(last.length)}`, 'number'], 'Why']} />
              <tbody>
                {alike(last).map(({ last: one, times }) => (
                  <tr key={`${one.remote} ${one.code} ${one.reason}`}>
                    <th scope="row">{moment(Date.parse(one.time), zone)}</th>
                    <td>{one.remote}</td>
                    <td class="number">{count(times)}</td>
                    <td class="reason">
                      <code>{one.code}</code> {visible(one.reason)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
    </section>
  )
}
