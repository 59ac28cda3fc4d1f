import { Heads } from '../shell/heads.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { count, moment, roughly } from '../time/words.ts'
import type { Run } from './status.ts'

const LEVELS: { readonly [result: string]: string } = { published: 'ok', nothing_new: 'ok', failed: 'stuck' }

/** The last runs, a row a view. */
export function RunsTable({ runs, zone }: { runs: readonly Run[]; zone: string }) {
  return (
    <section>
      <h2>Runs</h2>
      {runs.length === 0 ? (
        <p class="lead">No run is recorded yet.</p>
      ) : (
        <Scroll label="Runs">
          <table>
            <Heads
              columns={[
                ...['Began', 'View', 'Result'],
                ...['Took', 'Hours', 'Rows', 'Version'].map((name) => [name, 'number'] as const),
                'Engine',
              ]}
            />
            <tbody>
              {runs.map((run) => (
                <tr key={`${run.run} ${run.view}`} title={run.run}>
                  <th scope="row">{moment(Date.parse(run.started), zone)}</th>
                  <td>{run.view}</td>
                  <td class="reason">
                    <span class={`state ${LEVELS[run.result] ?? 'late'}`}>
                      {run.result.replaceAll('_', ' ')}
                    </span>{' '}
                    {run.full && 'full'} {run.error}
                  </td>
                  <td class="number">{roughly(Date.parse(run.ended) - Date.parse(run.started))}</td>
                  <td class="number">{count(run.hours)}</td>
                  <td class="number">{count(run.rows)}</td>
                  <td class="number">{run.view_version === null ? '–' : count(run.view_version)}</td>
                  <td>{run.engine}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  )
}
