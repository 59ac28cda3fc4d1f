import { useState } from 'preact/hooks'
import { KeyName } from '../names/name.tsx'
import { visible } from '../names/visible.ts'
import { Heads } from '../shell/heads.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { count, roughly } from '../time/words.ts'
import type { Agents } from './status.ts'

/** Agents that are shown before more are asked for: the list is one among others on its page. */
const FIRST_MAX = 10

/** The agents that are connected, the one furthest behind first. */
export function AgentsTable({ agents: { agents, total } }: { agents: Agents }) {
  const [all, setAll] = useState(false)
  const shown = all ? agents : agents.slice(0, FIRST_MAX)
  return (
    <section>
      <h2>Agents</h2>
      {agents.length === 0 ? (
        <p class="lead">No agent is connected.</p>
      ) : (
        <Scroll label="Agents">
          <table>
            <Heads
              columns={[
                ...['Sends', 'Address', 'Version'],
                ...['Newest message', 'Accepted', 'Lost'].map((name) => [name, 'number'] as const),
              ]}
            />
            <tbody>
              {shown.map((one) => (
                <tr key={one.agent} title={one.agent}>
                  <th scope="row">
                    <KeyName values={one.names.length === 0 ? [one.agent] : one.names} />
                  </th>
                  <td>{one.remote}</td>
                  <td>{one.version === null ? '–' : visible(one.version)}</td>
                  <td class="number">{one.lag_ms === null ? 'none yet' : `${roughly(one.lag_ms)} old`}</td>
                  <td class="number">{count(one.accepted)}</td>
                  <td class="number" data-figure={`${one.agent}/lost`}>
                    {count(one.lost)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {total > shown.length && (
        <p class="lead under">
          The {count(shown.length)} furthest behind of {count(total)}.{' '}
          {!all && (
            <button type="button" class="link" onClick={() => setAll(true)}>
              Show {agents.length === total ? 'all' : `the first ${count(agents.length)}`}
            </button>
          )}
        </p>
      )}
    </section>
  )
}
