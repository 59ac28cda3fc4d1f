import type { Agent } from '../../agent/agent.ts'
import type { AllCounts, RequestCounts } from '../../lake/store/s3/counts.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { offsetIn } from '../../schemas/position.ts'
import type { AnswersServer } from '../../serving/answer.ts'
import { iso, presentGaps } from '../../serving/http/present.ts'
import { amountsOf, presentRun, presentState } from '../../serving/http/present-run.ts'
import type { RemoteCollector } from '../host/ingest-thread.ts'
import { formatAddress } from '../settings/values.ts'
import type { Announced } from './announced.ts'
import type { OpenedData } from './data-directory.ts'
import type { DiskUse } from './disk-use.ts'
import type { LogTimes } from './log-times.ts'
import type { DatasetStorage } from './storage-use.ts'
import { isUnpublished, unpublishedOf } from './unpublished.ts'

/** Every layer of the embedded form. */
export interface Embedded extends OpenedData {
  readonly answers: AnswersServer
  readonly collector: RemoteCollector
  readonly agent: Agent | null
  readonly announced: Announced
  /** When the log became how long. */
  readonly times: LogTimes
  /** Bytes on the disk; null while they are not known. */
  use(): DiskUse | null
  /** What each dataset takes in the lake; null where it cannot be read. */
  stored(): Promise<readonly DatasetStorage[] | null>
}

/** What `GET /v1/status` says of every layer. */
export async function statusOf(layers: Embedded, clock: Clock): Promise<object> {
  const { journal, writer, speed, batch, answers, collector, agent, requests, times } = layers
  const {
    tooManyNames,
    ignoredFields,
    lostByAgents,
    unkeptRejects,
    clockRefusals,
    messagesPerSecond,
    ...received
  } = await collector.status()
  const { covered, ...lake } = writer.status()
  const { chains, ...fold } = speed.status()
  const { nextMs, last, active, state } = batch.status()
  const { versions, seen: _, ...index } = answers.status()
  const named = Object.keys(versions)
  const partition = journal.partitions()[0]!
  const end = journal.end(partition)
  const use = layers.use()
  const stored = await layers.stored()
  const views = named.map((name) => servedView(answers, name))
  /** How far a position is behind the end of the log. */
  const lag = (position: number) => ({
    lag_blocks: Math.max(0, end - position),
    lag_ms: times.lagMs(position),
  })
  const lowest = (of: 'tidemark' | 'position') =>
    Math.min(end, ...views.map((view) => offsetIn(view[of], partition)))
  const { pendingBytes, uncoveredBytes, gaps, ...log } = journal.state()
  return {
    time: iso(clock.nowMs()),
    agent: agent?.status() ?? { state: 'off' },
    collector: {
      ...received,
      listen: formatAddress(collector),
      messages_per_second: messagesPerSecond,
      too_many_names: tooManyNames,
      ignored_fields: ignoredFields,
      lost_by_agents: lostByAgents,
      unkept_rejects: unkeptRejects,
      clock_refusals: clockRefusals,
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
    lake: {
      ...lake,
      covered,
      ...lag(offsetIn(covered, partition)),
      requests: presentRequests(requests()),
    },
    speed: {
      ...fold,
      ...lag(Math.min(end, ...chains.map(({ readTo }) => readTo))),
      chains: chains.map(({ view, hash, committedTo, readTo, openCells }) => {
        return { view, definition: hash, committed_to: committedTo, read_to: readTo, open_cells: openCells }
      }),
    },
    batch: {
      state,
      active: active && presentState(active),
      progress: active?.progress ?? null,
      ...lag(lowest('tidemark')),
      next: nextMs === null ? null : iso(nextMs),
      last: last[0] === undefined ? null : presentRun(last[0]),
      last_views: last.map(presentRun),
      ...amountsOf(last),
    },
    serving: {
      ...index,
      ...views[0]!,
      ...lag(lowest('position')),
      views,
    },
    storage: use === null ? { state: 'counting' } : { state: 'ok', ...use },
    stored: stored ?? [],
  }
}

/** Requests of a store by operation, those of DuckDB and Spark below their names; null for a lake on a disk. */
export function presentRequests(counts: AllCounts | null): object | null {
  if (counts === null) return null
  const { duckdb, spark, ...own } = counts
  const { reads, writes, bytesSent, bytesReceived } = spark
  return {
    ...presentOperations(own),
    duckdb: presentOperations(duckdb),
    spark: {
      read_operations: reads,
      write_operations: writes,
      bytes_sent: bytesSent,
      bytes_received: bytesReceived,
    },
  }
}

function presentOperations(counts: Partial<RequestCounts>): object {
  const entries = Object.entries(counts).map(([operation, { bytesSent, bytesReceived, ...numbers }]) => {
    return [operation, { ...numbers, bytes_sent: bytesSent, bytes_received: bytesReceived }]
  })
  return Object.fromEntries(entries)
}

/** What the answers of a view stand on. */
export function servedView(answers: AnswersServer, view: string) {
  if (isUnpublished(answers, view))
    return { view, view_version: null, tidemark: {}, position: {}, ticks: 0, keys: 0 }
  const { viewVersion, tidemark, position, ticks } = answers.basis(view)
  return {
    view,
    view_version: viewVersion,
    tidemark,
    position,
    ticks: ticks.length,
    keys: answers.summaries(view).length,
  }
}

/** Ready when every layer works; otherwise why not, without paths of the machine: anybody may ask. */
export async function readiness(
  { journal, collector, writer, speed, batch, answers, announced, madeAnew }: Embedded,
  hidePaths: (text: string) => string,
): Promise<{ ready: boolean; reasons: string[] }> {
  const log = journal.state()
  const layers = {
    log,
    // It waits for the log, or for the lake.
    ...(log.state === 'ok' && { collector: await collector.status() }),
    lake: writer.status(),
    speed: speed.status(),
    batch: lastRun(batch),
    serving: answers.status(),
    files: announced.status(),
  }
  const unpublished = unpublishedOf(answers).map(
    (view) => `serving: ${view} answers once a run has published it`,
  )
  const reasons = Object.entries(layers)
    .filter(([, { state }]) => state !== 'ok')
    .map(([name, { state, reason }]) => hidePaths(`${name}: ${reason ?? state}`))
  const anew = answers
    .views()
    .filter(({ view, version }) => version === null && madeAnew.includes(view.name))
    .map(({ view }) => `lake: the log of ${view.name} was damaged and begins anew; a run computes it again`)
  const all = [...reasons, ...anew, ...unpublished]
  return { ready: all.length === 0, reasons: all }
}

/** Whether the last run worked. */
function lastRun(batch: Embedded['batch']): { state: string; reason: string | null } {
  const failed = batch.status().last.find(({ result }) => result === 'failed')
  return failed === undefined ? { state: 'ok', reason: null } : { state: 'failing', reason: failed.error }
}
