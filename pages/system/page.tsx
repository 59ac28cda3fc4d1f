import { ask } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { titleOf } from '../names/visible.ts'
import type { Shown } from '../shell/context.ts'
import { Lost, Problem } from '../shell/notice.tsx'
import { moment } from '../time/words.ts'
import { Flow } from './flow.tsx'
import { HostsTable } from './hosts-table.tsx'
import { Refusals } from './refusals.tsx'
import { RunsTable } from './runs-table.tsx'
import { AgentsTable } from './senders.tsx'
import { type Agents, isHere, type Refusal, type Run, type Status } from './status.ts'
import { Storage } from './storage.tsx'
import { judge, sticksAt } from './verdict.ts'
import { ViewsTable } from './views-table.tsx'

const EVERY_MS = 2_000
/** A server that tells of its state tells it at once. */
const STATUS_MS_MAX = 6_000
const LISTS_EVERY_MS = 5_000
const AGENTS_MAX = 50
const RUNS_MAX = 20

/** The state of every layer, drawn as the data flows, so that one sees at a glance where it sticks. */
export function SystemPage({ shown }: { shown: Shown }) {
  const status = useAnswer('status', (signal) => ask<Status>('/v1/status', {}, signal, STATUS_MS_MAX), {
    everyMs: EVERY_MS,
  })
  const collector = status.data?.collector
  const collects = collector !== undefined && isHere(collector)
  const agents = useAnswer(
    collects ? 'agents' : null,
    (signal) => ask<Agents>('/v1/agents', { connected: 1, sort: '-lag_ms', limit: AGENTS_MAX }, signal),
    { everyMs: LISTS_EVERY_MS },
  )
  const rejects = useAnswer(
    collects ? 'rejects' : null,
    (signal) => ask<{ rejects: Refusal[] }>('/v1/rejects', {}, signal),
    { everyMs: LISTS_EVERY_MS },
  )
  const runs = useAnswer('runs', (signal) => ask<{ runs: Run[] }>('/v1/runs', { limit: RUNS_MAX }, signal), {
    everyMs: LISTS_EVERY_MS,
  })
  const lost = (status.error as { status?: number } | null)?.status === 0
  return (
    <>
      <h1>System</h1>
      <Lost lost={lost} />
      <Problem error={status.error} />
      {status.data !== null && (
        <div class={status.error === null ? undefined : 'old'}>
          {status.error === null ? (
            <Verdict status={status.data} agents={agents.data} />
          ) : (
            <p class="verdict late">
              How it is now is not known. Below is what was known at{' '}
              {moment(Date.parse(status.data.time), shown.zone)}.
            </p>
          )}
          <Flow status={status.data} agents={agents.data} judgement={judge(status.data, agents.data)} />
          <ViewsTable status={status.data} />
          <RunsTable runs={runs.data?.runs ?? []} zone={shown.zone} />
          {agents.data !== null && <AgentsTable agents={agents.data} />}
          {!collects && <HostsTable zone={shown.zone} />}
          {collects && rejects.data !== null && (
            <Refusals collector={collector} last={rejects.data.rejects} zone={shown.zone} />
          )}
          {status.data.storage !== undefined && <Storage storage={status.data.storage} />}
        </div>
      )}
    </>
  )
}

/** In one sentence whether everything flows, or where it sticks. */
function Verdict({ status, agents }: { status: Status; agents: Agents | null }) {
  const judgement = judge(status, agents)
  const at = sticksAt(judgement)
  const isAll = Object.values(judgement).every(({ level }) => level !== 'away')
  return (
    <p class={`verdict ${at === null ? 'ok' : judgement[at].level}`} role="status">
      {at === null ? (
        isAll ? (
          'Everything flows.'
        ) : (
          'Everything flows, as far as this process sees.'
        )
      ) : (
        <>
          <strong>
            {judgement[at].level === 'stuck' ? 'It sticks at' : 'Behind'}: {titleOf(at)}
          </strong>
          {`. ${judgement[at].words}`}
        </>
      )}
    </p>
  )
}
