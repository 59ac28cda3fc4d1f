import type { Agent } from '../agent/agent.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { offsetIn } from '../schemas/position.ts'
import type { AnswersServer } from '../serving/answer.ts'
import { iso, presentGaps, presentRun } from '../serving/http/present.ts'
import type { Speed } from '../speed/speed.ts'
import type { RemoteCollector } from './host/ingest-thread.ts'
import type { StoreRoom } from './store-room.ts'

/** Every layer of the embedded form. */
export interface Embedded extends StoreRoom {
  readonly speed: Speed
  readonly answers: AnswersServer
  readonly collector: RemoteCollector
  readonly agent: Agent | null
}

/** What `GET /v1/status` says of every layer. */
export async function statusOf(layers: Embedded, clock: Clock): Promise<object> {
  const { journal, lakeWriter, speed, batch, answers, collector, agent } = layers
  const { ignoredFields, lostByAgents, unkeptRejects, messagesPerSecond, ...received } =
    await collector.status()
  const { covered, ...lake } = lakeWriter.status()
  const { chains, ...fold } = speed.status()
  const { nextMs, last, ...run } = batch.status()
  const { viewVersion, ...index } = answers.status()
  const basis = answers.basis()
  const partition = journal.partitions()[0]!
  const end = journal.end(partition)
  const { pendingBytes, uncoveredBytes, gaps, ...log } = journal.state()
  return {
    time: iso(clock.nowMs()),
    agent: agent?.status() ?? { state: 'off' },
    collector: {
      ...received,
      messages_per_second: messagesPerSecond,
      ignored_fields: ignoredFields,
      lost_by_agents: lostByAgents,
      unkept_rejects: unkeptRejects,
    },
    log: {
      ...log,
      partition,
      start: journal.start(partition),
      end,
      pending_bytes: pendingBytes,
      unsealed_bytes: uncoveredBytes,
      gaps: presentGaps(gaps).gaps ?? [],
    },
    lake: { ...lake, covered, lag_blocks: end - offsetIn(covered, partition) },
    speed: {
      ...fold,
      lag_blocks: Math.max(0, ...chains.map(({ readTo }) => end - readTo)),
      chains: chains.map(({ hash, committedTo, readTo, openCells }) => {
        return { definition: hash, committed_to: committedTo, read_to: readTo, open_cells: openCells }
      }),
    },
    batch: { ...run, next: nextMs === null ? null : iso(nextMs), last: last && presentRun(last) },
    serving: {
      ...index,
      view_version: viewVersion,
      tidemark: basis.tidemark,
      position: basis.position,
      ticks: basis.ticks.length,
      services: answers.services().length,
    },
  }
}

/** Ready when every layer works; otherwise why not. */
export async function readiness({
  journal,
  collector,
  lakeWriter,
  speed,
  answers,
}: Embedded): Promise<{ ready: boolean; reasons: string[] }> {
  const log = journal.state()
  const layers = {
    log,
    // It waits for the log, or for the lake.
    ...(log.state === 'ok' && { collector: await collector.status() }),
    lake: lakeWriter.status(),
    speed: speed.status(),
    serving: answers.status(),
  }
  const reasons = Object.entries(layers)
    .filter(([, { state }]) => state !== 'ok')
    .map(([name, { state, reason }]) => `${name}: ${reason ?? state}`)
  return { ready: reasons.length === 0, reasons }
}
