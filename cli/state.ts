import type { Agent } from '../agent/agent.ts'
import type { Collector } from '../collector/collector.ts'
import type { AnswersServer } from '../serving/answer.ts'
import type { Speed } from '../speed/speed.ts'
import type { StoreRoom } from './store-room.ts'

/** Every layer of the embedded form. */
export interface Embedded extends StoreRoom {
  readonly speed: Speed
  readonly answers: AnswersServer
  readonly collector: Collector
  readonly agent: Agent | null
}

/** What `GET /v1/status` says of every layer. */
export function statusOf(layers: Embedded, nowMs: number): object {
  const { journal, lakeWriter, speed, batch, answers, collector, agent } = layers
  const basis = answers.basis()
  return {
    time: new Date(nowMs).toISOString(),
    agent: agent === null ? { state: 'off' } : agent.status(),
    collector: collector.status(),
    log: {
      ...journal.state(),
      partition: journal.partition,
      start: journal.start(),
      end: journal.end(),
      pending_bytes: journal.pendingBytes(),
      gaps: journal.gaps(),
    },
    lake: lakeWriter.status(),
    speed: speed.status(),
    batch: batch.status(),
    serving: {
      ...answers.status(),
      tidemark: basis.tidemark,
      position: basis.position,
      ticks: basis.ticks.length,
      services: answers.services().length,
    },
  }
}

/** Ready when every layer works; otherwise why not. */
export function readiness({ journal, lakeWriter, speed, answers }: Embedded): {
  ready: boolean
  reasons: string[]
} {
  const layers = {
    log: journal.state(),
    lake: lakeWriter.status(),
    speed: speed.status(),
    serving: answers.status(),
  }
  const reasons = Object.entries(layers)
    .filter(([, { state }]) => state !== 'ok')
    .map(([name, { state, reason }]) => `${name}: ${reason ?? state}`)
  return { ready: reasons.length === 0, reasons }
}
