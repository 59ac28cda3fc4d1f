import { hostname } from 'node:os'
import { join } from 'node:path'
import { duckdbEngine } from '../batch/engines/duckdb.ts'
import { openReference } from '../batch/engines/reference.ts'
import { type Batch, startBatch } from '../batch/run.ts'
import type { Table } from '../lake/delta/port.ts'
import { openTable } from '../lake/delta/table.ts'
import { localStore } from '../lake/store/local.ts'
import { agentsInLake } from '../lake/tables/agents.ts'
import { namesInLake } from '../lake/tables/named-position.ts'
import { MESSAGES, RUNS, ticksTable } from '../lake/tables.ts'
import { type LakeWriter, startLakeWriter } from '../lake/writer/writer.ts'
import { type JournalConfig, openJournal } from '../log/journal/journal.ts'
import type { LogReader } from '../log/port.ts'
import type { Clock, Random } from '../schemas/ports/clock.ts'
import type { Disk } from '../schemas/ports/disk.ts'
import type { Wake } from '../schemas/ports/layers.ts'
import { makeWake } from '../schemas/ports/wake.ts'
import type { View } from '../schemas/view.ts'
import type { Closing } from './closing.ts'
import { sealThread } from './host/seal-thread.ts'
import type { Settings } from './settings.ts'

/** The lower half of the embedded form, which `up` and `batch --once` share: lock, lake, journal, lake writer, batch. */
export interface StoreRoom {
  readonly tables: { messages: Table; view: Table; ticks: Table; runs: Table }
  readonly journal: LogReader
  readonly lakeWriter: LakeWriter
  readonly batch: Batch
  readonly wake: Wake
}

export interface Host {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  logLine(line: string): void
}

/**
 * Opens the data directory for this process alone. Whatever it opened is in `closing`, also when it throws; `E_LOCKED`
 * names the process that has it.
 */
export async function openStoreRoom(
  options: {
    readonly settings: Settings
    readonly view: View
    readonly command: string
    readonly engine: string
    readonly scheduled: boolean
    /** Opens the journal elsewhere than in this thread. */
    openLog?(config: JournalConfig): Promise<LogReader>
  },
  host: Host,
  closing: Closing,
): Promise<StoreRoom> {
  const { settings, view } = options
  const { disk, clock, random, logLine } = host
  const dataDir = settings.dataDir()
  const holder = `tidemark ${options.command}, process ${process.pid} on ${hostname()}`
  const retentionMs = settings.durationMs('lake.retention')

  await disk.makeDir(dataDir)
  const lock = await disk.lock(join(dataDir, 'lock'), holder)
  closing.add('lock', () => lock.release())

  const store = await localStore(disk, settings.lakeDir(), random)
  const table = (name: string) => openTable(name, { store, clock, random })
  const tables = {
    messages: table(MESSAGES),
    view: table(view.name),
    ticks: table(ticksTable(view)),
    runs: table(RUNS),
  }
  const named = await namesInLake(tables)

  const openLog = options.openLog ?? ((config) => openJournal(config, { disk, clock, logLine }))
  const journal = await openLog({
    dir: join(dataDir, 'journal'),
    holder,
    floor: named.position,
    fenceLake: () => named.fence(),
    agentsInLake: () => agentsInLake(tables.messages, logLine),
  })
  closing.add('journal', () => journal.close())

  const wake = makeWake()
  const lakeWriter = await startLakeWriter(
    { retentionMs, named: named.position, unsealedBytesMax: settings.bytes('collector.unsealed_max') },
    {
      log: journal,
      messages: tables.messages,
      views: [tables.view],
      encoder: sealThread(),
      clock,
      wake,
      logLine,
    },
  )
  closing.add('lake writer', () => lakeWriter.close())

  const batch = await startBatch(
    {
      view,
      tickMs: settings.durationMs('speed.tick'),
      schedule: options.scheduled ? settings.text('batch.schedule') : null,
      engine: options.engine,
      retentionMs,
    },
    {
      openEngine: options.engine === 'duckdb' ? duckdbEngine(join(dataDir, 'scratch')) : openReference,
      messages: tables.messages,
      viewTable: tables.view,
      ticks: tables.ticks,
      runs: tables.runs,
      sealer: lakeWriter,
      clock,
      random,
      wake,
      logLine,
    },
  )
  closing.add('batch', () => batch.close())
  return { tables, journal, lakeWriter, batch, wake }
}
