import { openReference } from '../../../batch/engines/reference.ts'
import { startWriters, type Writers } from '../../../cli/compose/writers.ts'
import { type Audit, openAudit } from '../../../lake/audit.ts'
import { openTable } from '../../../lake/delta/table.ts'
import { type Erasures, startErasures } from '../../../lake/erase/erasures.ts'
import { expireMessages } from '../../../lake/expire/expire.ts'
import { decodeParquet } from '../../../lake/parquet/codec.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import type { ObjectStore } from '../../../lake/store/port.ts'
import { allViews, lakeTables, type ViewTables } from '../../../lake/tables/deployment.ts'
import { readNamedPosition } from '../../../lake/tables/named-position.ts'
import { viewState } from '../../../lake/tables/published.ts'
import { chainFrom, ticksOf } from '../../../lake/tables/ticks.ts'
import { encodeHere } from '../../../lake/writer/seal-files.ts'
import { type Journal, openJournal } from '../../../log/journal/journal.ts'
import { rowAt } from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { makeWake } from '../../../schemas/ports/wake.ts'
import { offsetIn } from '../../../schemas/position.ts'
import { definitionHash } from '../../../schemas/view.ts'
import { viewColumns } from '../../../schemas/view-columns.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { Incarnation } from '../../sim/incarnation.ts'
import { hostColumns } from '../../sim/messages.ts'
import { simRandom } from '../../sim/random.ts'

export const RETENTION_MS = 86_400_000
const START_MS = Date.UTC(2026, 10, 22, 10)
/** Long, so that days pass quickly. */
const TICK_MS = 600_000

interface Process extends Writers {
  readonly life: Incarnation
  readonly journal: Journal
  readonly tables: ReturnType<typeof lakeTables>
  readonly audit: Audit
  readonly erasures: Erasures
}

/**
 * A whole deployment but for the collector, over a journal on a simulated disk and a store in memory, or what lies over that; it can be
 * killed.
 */
export async function erasingRig(
  over: (store: MemoryStore, clock: SimClock) => ObjectStore = (store) => store,
) {
  const clock = new SimClock(START_MS)
  const store = new MemoryStore(clock)
  const remote = over(store, clock)
  const disk = new SimDisk(1, clock)
  const random = simRandom(1)
  const lines: string[] = []
  let now = await start()

  async function start(): Promise<Process> {
    const life = new Incarnation()
    const logLine = (line: string) => void lines.push(line)
    const host1 = {
      store: life.gate(remote),
      disk: life.gate(disk, { wraps: ['open', 'lock'] }),
      clock: life.clock(clock),
      random,
      logLine,
    }
    const tables = lakeTables({ datasets: [host], views: [serviceMinute, hostMinute] }, (name) =>
      openTable(name, host1),
    )
    const messages = tables.datasets.map((one) => one.messages)
    const named = await readNamedPosition({ messages, views: allViews(tables) })
    const journal = await openJournal(
      { dir: '/journal', holder: 'test', floor: named.position, fenceLake: () => named.fence() },
      host1,
    )
    const wake = makeWake()
    const writers = await startWriters(
      {
        tickMs: TICK_MS,
        retentionMs: RETENTION_MS,
        unsealedBytesMax: 1 << 30,
        named: named.position,
        schedule: null,
        engine: 'reference',
        isAlone: true,
      },
      {
        ...host1,
        log: journal,
        tables: { writer: tables, speed: tables, batch: tables },
        openEngine: openReference,
        wake,
      },
    )
    const audit = openAudit(host1)
    const erasures = startErasures(
      { retentionMs: RETENTION_MS },
      {
        ...host1,
        tables,
        audit,
        log: journal,
        sealer: writers.writer,
        runs: writers.batch,
        encoder: encodeHere,
        trim: () => writers.writer.tend(),
        forgetRejects: async () => 0,
        forgetCaches: async () => {},
      },
    )
    return { ...writers, life, journal, tables, audit, erasures }
  }

  async function stop() {
    await now.erasures.close()
    await now.batch.close()
    await now.speed.close()
    await now.writer.close()
    await now.journal.close()
  }

  const views = () => now.tables.datasets[0]!.views as readonly [ViewTables, ViewTables]

  return {
    clock,
    store,
    lines,
    get erasures() {
      return now.erasures
    },
    get audit() {
      return now.audit
    },
    /** A block of messages of `service`, one from each of `hosts`. */
    async send(service: string, hosts: readonly string[], timeMs = START_MS - 1_800_000) {
      const messages = hosts.map((name, i) => {
        return { service, host: name, timeMs: timeMs + 1_000 * i, gauges: [1 + i, 2, 3] }
      })
      await now.journal.append(now.journal.partition, encodeBlock(hostColumns(messages)))
    },
    run: (full = false) => now.batch.run({ full }),
    /** Messages that are older than so many days expire. */
    expire: (days: number) =>
      expireMessages(
        now.tables.datasets[0]!,
        { keep: [{ dataset: null, service: null, keepMs: days * 86_400_000 }], isDry: false, done: () => {} },
        { clock, random, signal: new AbortController().signal },
      ),
    /** Does `work` in a process that dies with its `calls`th call of a port; whether it died before the end. */
    async killedAt(calls: number, work: () => Promise<unknown>): Promise<boolean> {
      now.life.dieAfter(calls + 1)
      return Promise.race([work().then(() => false), now.life.death.then(() => true)])
    },
    /** The process dies, if it lives, and another begins. */
    async restart() {
      now.life.die()
      disk.crash('process')
      now = await start()
    },
    /** Messages by host, as an answer has them: the published cells, the ticks behind them and the open cells. */
    async hosts(): Promise<{ [host: string]: number }> {
      const [, { view, published, ticks }] = views()
      const counts: { [host: string]: number } = {}
      const add = (name: unknown, n: unknown) => {
        counts[name as string] = (counts[name as string] ?? 0) + Number(n)
      }
      const version = await published.snapshot()
      const state = viewState(version)
      const hash = state?.hash ?? definitionHash(view)
      const { partition } = now.journal
      const chain = chainFrom(
        ticksOf(await ticks.snapshot()),
        hash,
        partition,
        offsetIn(state?.tidemark ?? {}, partition),
      )
      const files = [
        ...[...(version?.files.values() ?? [])].map((file) => published.readFile(file)),
        ...chain.map(({ file }) => ticks.readFile(file)),
      ]
      for (const bytes of await Promise.all(files)) {
        const data = await decodeParquet(bytes, ['host', 'msg_num'])
        for (const [i, name] of data.host!.entries()) add(name, data.msg_num![i])
      }
      const from = chain.at(-1)?.to ?? offsetIn(state?.tidemark ?? {}, partition)
      const columns = viewColumns(view).map(({ name }) => name)
      for (const cells of now.speed.open(hash, partition, from)?.cells(null, 0, Number.MAX_SAFE_INTEGER) ??
        [])
        for (let i = 0; i < cells.length; i++) {
          const row = rowAt(cells, i)
          add(row[columns.indexOf('host')], row[columns.indexOf('msg_num')])
        }
      return counts
    },
    /** Every published cell of both views. */
    async cells() {
      const all = []
      for (const { published } of views())
        for (const file of [...(await published.snapshot())!.files.values()].sort((a, b) =>
          a.partition.date! < b.partition.date! ? -1 : 1,
        ))
          all.push(await decodeParquet(await published.readFile(file)))
      return all
    },
    /** Where a name stands in the lake or the journal, with Parquet files decoded. */
    async whereIs(name: string): Promise<string[]> {
      const found: string[] = []
      for (const [key, { bytes }] of store.objects) {
        const isParquet = key.endsWith('.parquet')
        const text = isParquet ? textOf(await decodeParquet(bytes)) : ''
        if (text.includes(name) || Buffer.from(bytes).includes(name)) found.push(key)
      }
      for (const path of disk.paths()) if (Buffer.from(disk.bytesOf(path)).includes(name)) found.push(path)
      return found.sort()
    },
    async [Symbol.asyncDispose]() {
      store.faults = null
      if (now.life.alive) await stop()
    },
  }
}

function textOf(columns: Record<string, unknown[]>): string {
  return JSON.stringify(columns, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
}
