import { type Batch, startBatch } from '../../batch/batch.ts'
import type { OpenEngine } from '../../batch/engines/engine.ts'
import { openReference } from '../../batch/engines/reference.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { type LakeTables, lakeTables, type ViewTables } from '../../lake/tables/deployment.ts'
import { viewState } from '../../lake/tables/published.ts'
import { startLakeWriter } from '../../lake/writer/writer.ts'
import { host } from '../../schemas/datasets/host.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import type { View } from '../../schemas/view.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startSpeed } from '../../speed/speed.ts'
import { encodeBlock } from '../sim/blocks.ts'
import { SimClock } from '../sim/clock.ts'
import { SimLog } from '../sim/log.ts'
import { hostColumns } from '../sim/messages.ts'
import { simRandom } from '../sim/random.ts'

export const TICK_MS = 30_000
const RETENTION_MS = 86_400_000
const TIME_MS = Date.UTC(2026, 10, 22, 9, 30)

interface BatchOn {
  readonly schedule?: string | null
  readonly isAlone?: boolean
  readonly openEngine?: OpenEngine
}

/** The layers that write to the lake, over a log and a store in memory, with the two views of `host`. */
export async function batchRig(options: { schedule?: string } = {}) {
  const clock = new SimClock(Date.UTC(2026, 10, 22, 10))
  const store = new MemoryStore(clock)
  const random = simRandom(1)
  const log = new SimLog()
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)
  const deps = { log, clock, random, wake: makeWake(), logLine }

  /** Tables with a memory of their own, as another process has them. */
  const tables = (views: readonly View[] = [serviceMinute, hostMinute]) =>
    lakeTables({ datasets: [host], views }, (name) => openTable(name, { store, clock, random }))
  const own = tables()
  const [service, byHost] = own.datasets[0]!.views as [ViewTables, ViewTables]
  const writer = await startLakeWriter(
    { retentionMs: RETENTION_MS, unsealedBytesMax: 1 << 30, named: {} },
    { ...deps, datasets: own.datasets },
  )
  const speed = await startSpeed(
    { tickMs: TICK_MS, retentionMs: RETENTION_MS },
    { ...deps, views: [service, byHost] },
  )

  /** Another batch layer over the same lake. */
  function batchOn(
    on: LakeTables,
    { schedule = null, isAlone = false, openEngine = openReference }: BatchOn = {},
  ): Promise<Batch> {
    return startBatch(
      { tickMs: TICK_MS, schedule, engine: 'reference', retentionMs: RETENTION_MS, isAlone },
      { ...deps, store, tables: on, openEngine, sealer: writer, ticker: speed },
    )
  }
  const batch = await batchOn(own, { schedule: options.schedule ?? null, isAlone: true })

  return {
    clock,
    store,
    log,
    lines,
    tables,
    batchOn,
    batch,
    views: { service, byHost },
    /** What is in the log goes into the lake. */
    seal: () => writer.seal(),
    /** One message in a block of its own. */
    send: (timeMs = TIME_MS) =>
      log.append(0, encodeBlock(hostColumns([{ service: 'web', host: 'h', timeMs, gauges: [1, 2, 3] }]))),
    /** What is published of a view: version, tidemark and messages. */
    async published(view = service) {
      const snapshot = (await view.published.snapshot())!
      const state = viewState(snapshot)
      const messages = [...snapshot.files.values()].reduce((sum, file) => sum + file.rows, 0)
      return { version: snapshot.version, tidemark: state?.tidemark[0] ?? null, cells: messages }
    },
    async [Symbol.asyncDispose]() {
      store.faults = null
      await batch.close()
      await speed.close()
      await writer.close()
    },
  }
}

/** A gate in a store: new objects whose key begins with `prefix` wait there until it is opened. */
export function gateIn(store: MemoryStore, prefix: string) {
  const { promise: opened, resolve } = Promise.withResolvers<void>()
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  store.faults = ({ what, key, when }) => {
    if (when !== 'before' || what !== 'putIfAbsent' || !key.startsWith(prefix)) return
    reach()
    return opened
  }
  return {
    /** Resolves when the first call waits. */
    reached,
    open() {
      store.faults = null
      resolve()
    },
  }
}
