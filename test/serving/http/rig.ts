import { openReference } from '../../../batch/engines/reference.ts'
import { startWriters } from '../../../cli/compose/writers.ts'
import { openTable } from '../../../lake/delta/table.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { lakeTables } from '../../../lake/tables/deployment.ts'
import { openJournal } from '../../../log/journal/journal.ts'
import { host } from '../../../schemas/datasets/host.ts'
import type { Definitions } from '../../../schemas/definitions.ts'
import type { Columns } from '../../../schemas/message.ts'
import type { Access } from '../../../schemas/ports/access.ts'
import { makeWake } from '../../../schemas/ports/wake.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { startAnswers } from '../../../serving/answer.ts'
import type { HttpDeps, ServedQueries } from '../../../serving/http/app.ts'
import { type HttpTls, makeApp } from '../../../serving/http/server.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { hostColumns } from '../../sim/messages.ts'
import { simRandom } from '../../sim/random.ts'

const TICK_MS = 30_000
export const NOW_MS = Date.UTC(2026, 10, 22, 12)

export interface ApiRigOptions {
  readonly access?: Access
  readonly hosts?: readonly string[]
  readonly cors?: readonly string[]
  readonly requestsMax?: number
  readonly tls?: HttpTls
  readonly sql?: ServedQueries
  readonly audit?: HttpDeps['audit']
  readonly senders?: HttpDeps['senders']
  /** Where the built pages are. */
  readonly pages?: string
  readonly definitions?: Definitions
}

/** The API over everything below it, with the messages of docs/api.md: three published, one above the tidemark. */
export async function apiRig({
  definitions = { datasets: [host], views: [serviceMinute, hostMinute] },
  access,
  hosts,
  cors,
  requestsMax,
  tls,
  sql,
  audit,
  senders,
  pages,
}: ApiRigOptions = {}) {
  const clock = new SimClock(NOW_MS)
  const store = new MemoryStore(clock)
  const random = simRandom(1)
  const wake = makeWake()
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)
  const tables = lakeTables(definitions, (name) => openTable(name, { store, clock, random }))
  const log = await openJournal(
    { dir: '/journal', holder: 'test', floor: {} },
    { disk: new SimDisk(1), clock, random, logLine },
  )
  const { writer, speed, batch } = await startWriters(
    {
      tickMs: TICK_MS,
      retentionMs: 86_400_000,
      unsealedBytesMax: 1 << 30,
      named: {},
      schedule: null,
      engine: 'reference',
      isAlone: true,
    },
    {
      log,
      store,
      tables: { writer: tables, speed: tables, batch: tables },
      openEngine: openReference,
      clock,
      random,
      wake,
      logLine,
    },
  )
  const answers = await startAnswers(
    { tickMs: TICK_MS, indexPath: ':memory:' },
    { tables, openCells: speed, clock, wake, logLine },
  )
  const app = makeApp(
    {
      answers,
      clock,
      random,
      status: async () => ({ speed: speed.status(), batch: batch.status() }),
      ready: async () => ({ ready: true, reasons: [] }),
      runs: () => batch.runs(),
      runStarter: batch,
      ...(access && { access }),
      ...(hosts && { hosts }),
      ...(cors && { cors }),
      ...(requestsMax && { requestsMax }),
      ...(sql && { sql }),
      ...(audit && { audit }),
      ...(senders && { senders }),
      ...(pages && { pages }),
      version: 'test',
      hidePaths: (text) => text.replaceAll('/home/ann/data', 'DATA'),
      logLine,
    },
    tls,
  )

  async function append(columns: Columns) {
    await log.append(0, encodeBlock(columns))
    await clock.advance(10)
  }
  const send = (service: string, host: string, time: string, gauges: number[]) =>
    append(hostColumns([{ service, host, timeMs: Date.parse(time), gauges }]))
  await send('checkout', 'web-1', '2026-11-22T10:00:00.000Z', [10, 40, 71])
  await send('checkout', 'web-2', '2026-11-22T10:00:30.000Z', [20, 40, 71])
  await send('search', 'web-9', '2026-11-22T10:00:30.000Z', [5, 6, 7])
  await speed.tick()
  await batch.run({ full: false })
  await send('checkout', 'web-1', '2026-11-22T10:01:00.500Z', [30, 40, 71])

  return {
    app,
    store,
    tables,
    batch,
    clock,
    lines,
    answers,
    append,
    send,
    async [Symbol.asyncDispose]() {
      await app.close()
      await answers.close()
      await batch.close()
      await speed.close()
      await writer.close()
      await log.close()
    },
  }
}
