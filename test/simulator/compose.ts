import type { Batch } from '../../batch/batch.ts'
import { openReference } from '../../batch/engines/reference.ts'
import { startWriters } from '../../cli/compose/writers.ts'
import { type Collector, startCollector } from '../../collector/collector.ts'
import type { Table } from '../../lake/delta/port.ts'
import type { Erasures } from '../../lake/erase/erasures.ts'
import { type CellFile, fileOfCells } from '../../lake/parquet/cells.ts'
import { LocalStore, localStore } from '../../lake/store/local.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { agentsInLake } from '../../lake/tables/agents.ts'
import { allViews, type LakeTables } from '../../lake/tables/deployment.ts'
import { readNamedPosition } from '../../lake/tables/named-position.ts'
import type { LakeWriter } from '../../lake/writer/writer.ts'
import { openJournal } from '../../log/journal/journal.ts'
import type { Log } from '../../log/port.ts'
import { remoteLog } from '../../log/remote/reader.ts'
import { serveLog } from '../../log/remote/serve.ts'
import { Calls } from '../../schemas/calls.ts'
import { type Cells, memoryOf } from '../../schemas/cells.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { type AnswersServer, startAnswers } from '../../serving/answer.ts'
import type { Speed } from '../../speed/speed.ts'
import { channelPair } from '../sim/channel.ts'
import type { Incarnation } from '../sim/incarnation.ts'
import { openDuckdb } from './duckdb.ts'
import { eraserOf } from './erasing.ts'
import { followJournal } from './follow-journal.ts'
import { noteLost } from './lost-journal.ts'
import {
  CONNECTIONS_MAX,
  IDLE_MS,
  JOURNAL_DIR,
  LAKE_DIR,
  REJECTS_DIR,
  type Site,
  TICK_MS,
  UNSEALED_BYTES_MAX,
} from './site.ts'
import type { TableDelay } from './table-delay.ts'

/** So many that every message's date is within: checks ask at once, without a look at the lake. */
const INDEX_DAYS = 10_000

/** The layers of one process. */
export interface Parts {
  readonly journal: Log
  readonly writer: LakeWriter
  readonly speed: Speed
  readonly batch: Batch
  readonly answers: AnswersServer
  readonly collector: Collector
  /** Null where nobody erases. */
  readonly erasures: Erasures | null
  readonly viewTable: Table
  /** The second set of writers, where there is one. */
  readonly twin: { readonly writer: LakeWriter; readonly speed: Speed; readonly batch: Batch } | null
  /** Closes every layer, in order. */
  close(): Promise<void>
}

/** A serving node that knows the lake alone. */
export interface Node {
  readonly life: Incarnation
  readonly answers: AnswersServer
}

/** A process that does one thing to the lake, beside those that write to it. */
export interface Command {
  readonly life: Incarnation
  readonly clock: Clock
  readonly disk: Disk
  readonly store: ObjectStore
  readonly tables: LakeTables
}

/** Starts the layers as the embedded process does, each after those it needs. */
export async function compose(site: Site, life: Incarnation): Promise<Parts> {
  const { retentionMs, twin } = site.config
  const clock = life.clock(site.clock)
  const disk = gatedDisk(site, life)
  const store =
    site.config.lake === 'store' ? life.gate(site.remote) : await localStore(disk, LAKE_DIR, site.random)
  const wake = makeWake()
  const deps = { clock, wake, random: site.random, logLine: site.say }
  const tables = site.tablesOn(store, life)
  const messages = tables.datasets.map((dataset) => dataset.messages)
  const named = await readNamedPosition({ messages, views: allViews(tables) })
  const opened = await openJournal(
    {
      dir: JOURNAL_DIR,
      segmentBytesMax: 4_096,
      holder: 'simulated',
      floor: named.position,
      fenceLake: () => named.fence(),
      agentsInLake: () => agentsInLake(messages, site.say),
    },
    { disk, clock, random: site.random, logLine: site.say },
  )
  if (site.journalLost) await noteLost(site)
  site.journalLost = false
  const journal = await followJournal(site, opened)
  // The layers behind the journal read it over a channel, as from another thread.
  const [here, there] = channelPair(() => life.alive)
  const log = remoteLog(serveLog(journal, new Calls(there)), new Calls(here))

  /** The layers that write to the lake. */
  function writers(own: LakeTables) {
    const { writer, speed, batch } = site.tableDelays
    return startWriters(
      {
        tickMs: TICK_MS,
        retentionMs,
        named: named.position,
        // It begins when the collector stops: senders do wait for it.
        unsealedBytesMax: 2 * UNSEALED_BYTES_MAX,
        schedule: null,
        engine: site.config.engine,
        isAlone: !twin,
      },
      {
        log,
        store,
        tables: { writer: delayed(own, writer), speed: delayed(own, speed), batch: delayed(own, batch) },
        openEngine: site.config.engine === 'duckdb' ? openDuckdb : openReference,
        encodeTick: asInThread,
        ...deps,
      },
    )
  }

  const first = await writers(tables)
  const answers = await startAnswers(
    { tickMs: TICK_MS, indexPath: site.config.indexPath ?? ':memory:', indexDays: INDEX_DAYS },
    { tables, openCells: first.speed, ...deps },
  )
  const second = twin ? await writers(site.tablesOn(store, life)) : null
  const collector = await startCollector(
    {
      host: '127.0.0.1',
      port: 7070,
      blockMessages: 5,
      connectionsMax: CONNECTIONS_MAX,
      idleMs: IDLE_MS,
      unsealedBytesMax: UNSEALED_BYTES_MAX,
    },
    {
      log: journal,
      senders: opened.senders,
      datasets: site.defined.datasets,
      net: site.net,
      disk,
      rejectsDir: REJECTS_DIR,
      ...deps,
    },
  )
  const erasures = site.config.amends ? eraserOf(site, life, { ...first, log: journal, store, tables }) : null
  return {
    journal,
    ...first,
    erasures,
    answers,
    collector,
    viewTable: tables.datasets[0]!.views[0]!.published,
    twin: second,
    async close() {
      await collector.close()
      await erasures?.close()
      await answers.close()
      for (const layer of [second?.speed, first.speed, second?.batch, first.batch]) await layer?.close()
      for (const layer of [second?.writer, first.writer, journal]) await layer?.close()
    },
  }
}

/** Starts a serving node with an index of its own, beside the process that writes. */
export async function composeNode(site: Site, life: Incarnation): Promise<Node> {
  const tables = site.tablesOn(life.gate(site.remote), life)
  const answers = await startAnswers(
    { tickMs: TICK_MS, indexPath: ':memory:', indexDays: INDEX_DAYS },
    {
      tables,
      openCells: null,
      clock: life.clock(site.clock),
      wake: makeWake(),
      logLine: (line) => site.say(`node: ${line}`),
    },
  )
  return { life, answers }
}

/** Starts a process that opens the lake as commands do. */
export function composeCommand(site: Site, life: Incarnation): Command {
  const disk = gatedDisk(site, life)
  const isRemote = site.config.lake === 'store'
  const store = isRemote ? life.gate(site.remote) : new LocalStore(disk, LAKE_DIR, site.random)
  return { life, clock: life.clock(site.clock), disk, store, tables: site.tablesOn(store, life) }
}

/** The disk as a process sees it. */
function gatedDisk(site: Site, life: Incarnation) {
  return life.gate(site.disk, { wraps: ['open'], delay: site.diskDelay })
}

/** The tables as a layer sees them that can be held up. */
function delayed({ datasets, runs }: LakeTables, tableDelay: TableDelay): LakeTables {
  return {
    datasets: datasets.map(({ dataset, messages, views }) => ({
      dataset,
      messages: tableDelay.on(messages),
      views: views.map(({ view, published, ticks, frozen }) => {
        return { view, published: tableDelay.on(published), ticks: tableDelay.on(ticks), frozen }
      }),
    })),
    runs,
  }
}

/** Makes the file of a tick as another thread does, to which the memory of the cells is handed over. */
async function asInThread(parts: readonly Cells[]): Promise<CellFile> {
  return fileOfCells(structuredClone(parts, { transfer: parts.flatMap(memoryOf) }))
}
