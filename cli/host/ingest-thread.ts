import { Worker } from 'node:worker_threads'
import type { CollectorDeps, CollectorStatus } from '../../collector/collector.ts'
import type { JournalConfig } from '../../log/journal/journal.ts'
import type { LogReader } from '../../log/port.ts'
import { type LogView, remoteLog } from '../../log/remote/reader.ts'
import type { AgentState } from '../../log/senders.ts'
import { Calls } from '../../schemas/calls.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { SeenSenders } from '../../schemas/ports/senders.ts'
import type { TokenAccess } from '../access/access.ts'
import type { CertificatePair } from '../access/certificate.ts'
import type { ThreadCollectorConfig, ThreadCollectorStart } from './ingest-worker.ts'
import { portChannel } from './port-channel.ts'

export interface IngestDeps {
  logLine(line: string): void
  /** Called when the thread ended without being asked to: nothing is received any more. */
  failed(error: Error): void
}

/** Collector and journal in a thread of their own, so that queries and the intake of messages do not wait for each other. */
export interface IngestThread {
  /** Opens the journal in the thread; throws what `openJournal` throws. */
  openJournal(config: JournalConfig): Promise<LogReader>
  /** Throws what `startCollector` throws. */
  startCollector(
    config: ThreadCollectorConfig,
    access: TokenAccess,
    knownNames?: CollectorDeps['knownNames'],
  ): Promise<RemoteCollector>
  close(): Promise<void>
}

/** A collector in another thread. */
export interface RemoteCollector extends SeenSenders {
  readonly host: string
  readonly port: number
  status(): Promise<CollectorStatus>
  /** Connections from now on get this certificate. */
  renew(pair: CertificatePair): void
  forgetRejects(words: readonly string[]): Promise<number>
  close(): Promise<void>
}

export function startIngestThread(deps: IngestDeps): IngestThread {
  const worker = new Worker(new URL('./ingest-worker.ts', import.meta.url))
  const calls = new Calls(portChannel(worker))
  let closing = false
  calls.on('log line', (line: string) => deps.logLine(line))
  worker.on('error', (error) => ended(error.message))
  worker.on('exit', () => ended('it stopped'))

  function ended(reason: string) {
    if (closing) return
    closing = true
    const error = new TidemarkError('E_CLOSED', `the thread that receives messages ended: ${reason}`)
    calls.end(error)
    deps.failed(error)
  }

  return {
    async openJournal({ agentsInLake = async () => new Map<string, AgentState>(), fenceLake, ...config }) {
      calls.on('fence lake', fenceLake ?? (async () => config.floor))
      calls.on('agents in lake', agentsInLake)
      return remoteLog(await calls.call<LogView>('open journal', config), calls)
    },
    async startCollector(config, access, knownNames = async () => []) {
      calls.on('known names', knownNames)
      const start: ThreadCollectorStart = { config, rule: access.rule, tokens: access.records }
      // From now on, not from when it has started: tokens that change meanwhile count too.
      const started = calls.call<{ host: string; port: number }>('start collector', start)
      access.onChange(() => calls.tell('tokens', access.records))
      const address = await started
      return {
        ...address,
        status: () => calls.call('collector status'),
        agents: () => calls.call('agents'),
        refusals: () => calls.call('refusals'),
        renew: (pair) => calls.tell('renew', pair),
        forgetRejects: (words) => calls.call('forget rejects', words),
        close: () => calls.call('close collector'),
      }
    },
    async close() {
      closing = true
      await worker.terminate()
    },
  }
}
