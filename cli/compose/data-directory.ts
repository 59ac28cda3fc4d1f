import { hostname } from 'node:os'
import { join } from 'node:path'
import type { OpenedStore } from '../../lake/store/opened.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { agentsInLake } from '../../lake/tables/agents.ts'
import { allViews, type LakeTables } from '../../lake/tables/deployment.ts'
import { setAsideDamaged } from '../../lake/tables/made-anew.ts'
import { namePartitions, readNamedPosition } from '../../lake/tables/named-position.ts'
import type { SealEncoder } from '../../lake/writer/seal-files.ts'
import { type JournalConfig, openJournal } from '../../log/journal/journal.ts'
import type { LogReader } from '../../log/port.ts'
import type { Definitions } from '../../schemas/definitions.ts'
import type { Wake } from '../../schemas/ports/layers.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { sealThread } from '../host/seal-thread.ts'
import { eventLoopTurn } from '../host/turn.ts'
import type { Settings } from '../settings/settings.ts'
import type { Closing } from './closing.ts'
import { refuseDeployed } from './deployment.ts'
import { engineOf } from './engine.ts'
import type { OwnerHost } from './host.ts'
import { ownLake } from './lake-owner.ts'
import { lakeStore } from './lake-store.ts'
import { bringLeftBehind } from './left-behind.ts'
import { tablesIn } from './open-lake.ts'
import { tickEncoding } from './tick-encoding.ts'
import { startWriters, type Writers } from './writers.ts'

/** What `up` and `batch --once` share: the data directory, and the layers that write to the lake. */
export interface OpenedData extends Writers {
  readonly tables: LakeTables
  /** The lake's store, which refuses to be changed once another process owns the lake. */
  readonly store: ObjectStore
  readonly encoder: SealEncoder
  readonly journal: LogReader
  readonly wake: Wake
  /** Blocks of the journal that other owners of the lake could not know; no run has computed them yet. */
  readonly leftBehind: number
  /** Tables whose logs were damaged, and which began again; no run has computed the views among them yet. */
  readonly madeAnew: readonly string[]
  /** What the lake's store was asked for so far; null where nobody pays for it. */
  readonly requests: OpenedStore['requests']
  readonly access: OpenedStore['access']
}

/**
 * Opens the data directory, and the lake that it writes to, for this process alone. Whatever it opened is in `closing`, also
 * when it throws; `E_LOCKED` names the process that has the directory, `E_LAKE_OWNED` the one that has the lake.
 */
export async function openData(
  options: {
    readonly settings: Settings
    readonly definitions: Definitions
    readonly command: string
    readonly engine: string
    readonly scheduled: boolean
    /** Opens the journal elsewhere than in this thread. */
    openLog?(config: JournalConfig): Promise<LogReader>
  },
  host: OwnerHost,
  closing: Closing,
): Promise<OpenedData> {
  const { settings, definitions, engine } = options
  const { disk, clock, random, logLine } = host
  const dataDir = settings.dataDir()
  const program = `tidemark ${options.command}, process ${process.pid}`
  const holder = `${program} on ${hostname()}`

  await disk.makeDir(dataDir)
  const lock = await disk.lock(join(dataDir, 'lock'), holder)
  closing.add('lock', () => lock.release())

  const opened = lakeStore(settings, host)
  await opened.probe()
  await refuseDeployed(opened.store)
  const lease = await ownLake(opened.store, { dataDir, holder: program }, host)
  closing.add('lease of the lake', () => lease.close())
  await opened.settle()
  const store = lease.guard(opened.store)
  const tables = tablesIn(store, definitions, host)
  const madeAnew = await setAsideDamaged(tables, store, { nowMs: clock.nowMs(), logLine })
  const messages = tables.datasets.map((dataset) => dataset.messages)
  const named = await readNamedPosition({ messages, views: allViews(tables) })

  const encoder = sealThread()
  const ticks = tickEncoding(encoder)
  closing.add('tick encoder', () => ticks.close())
  const dir = join(dataDir, 'journal')
  const left = { disk, random, tables, encoder, logLine }
  const leftBehind = await bringLeftBehind({ dir, floor: named.position }, left)
  const openLog = options.openLog ?? ((config) => openJournal(config, { disk, clock, random, logLine }))
  const journal = await openLog({
    dir,
    holder,
    floor: named.position,
    fenceLake: () => named.fence(),
    agentsInLake: () => agentsInLake(messages, logLine),
  })
  closing.add('journal', () => journal.close())

  const wake = makeWake()
  const writers = await startWriters(
    {
      tickMs: settings.durationMs('speed.tick'),
      retentionMs: settings.durationMs('lake.retention'),
      unsealedBytesMax: settings.bytes('collector.unsealed_max'),
      named: named.position,
      schedule: options.scheduled ? settings.text('batch.schedule') : null,
      engine,
      isAlone: true,
    },
    {
      store,
      log: journal,
      tables: { writer: tables, speed: tables, batch: tables },
      openEngine: engineOf(engine, settings, host, { ...opened, store }),
      encoder,
      encodeTick: ticks.encode,
      turn: eventLoopTurn,
      clock,
      random,
      wake,
      logLine,
    },
    (name, layer) => closing.add(name, () => layer.close()),
  )
  // Before anything is acknowledged: what is lost with this directory is missed then, even if nothing of it was sealed.
  await namePartitions(messages[0]!, journal.partitions(), clock.nowMs())
  const { requests, access } = opened
  return { ...writers, leftBehind, madeAnew, tables, store, encoder, journal, wake, requests, access }
}
