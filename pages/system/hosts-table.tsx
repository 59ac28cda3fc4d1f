import { ask } from '../api/client.ts'
import type { Page } from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { KeyName } from '../names/name.tsx'
import { Heads } from '../shell/heads.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { count, minute } from '../time/words.ts'

interface Host {
  readonly service: string
  readonly host: string
  readonly last_minute: string
  readonly messages: number
  readonly silent: boolean
}

const EVERY_MS = 15_000
/** Hosts that are asked for, those that sent last; and that are shown, of them the silent ones first. */
const [ASKED_MAX, SHOWN_MAX] = [500, 10]

/** Where no collector tells which agents are connected: those that fell silent last, then those that send. */
export function HostsTable({ zone }: { zone: string }) {
  const { data } = useAnswer(
    'hosts',
    (signal) =>
      ask<Page & { hosts: readonly Host[] }>('/v1/hosts', { sort: '-last_minute', limit: ASKED_MAX }, signal),
    { everyMs: EVERY_MS },
  )
  if (data === null) return null
  const silent = data.hosts.filter((one) => one.silent)
  const shown = [...silent, ...data.hosts.filter((one) => !one.silent)].slice(0, SHOWN_MAX)
  return (
    <section>
      <h2>Hosts</h2>
      {data.hosts.length === 0 ? (
        <p class="lead">No host has sent yet.</p>
      ) : (
        <Scroll label="Hosts">
          <table>
            <Heads columns={['Host', 'State', ['Last minute', 'number'], ['Messages', 'number']]} />
            <tbody>
              {shown.map(({ service, host, last_minute, messages, silent }) => (
                <tr key={`${service} ${host}`}>
                  <th scope="row">
                    <KeyName values={[service, host]} />
                  </th>
                  <td>
                    <span class={`state ${silent ? 'silent' : 'ok'}`}>{silent ? 'silent' : 'sends'}</span>
                  </td>
                  <td class="number">{minute(Date.parse(last_minute), zone)}</td>
                  <td class="number">{count(messages)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {data.total > shown.length && (
        <p class="lead under">
          The {count(shown.length)} that fell silent last, or sent last, of {count(data.total)}.
        </p>
      )}
    </section>
  )
}
