import { openReference } from '../../../batch/engines/reference.ts'
import { startBatch } from '../../../batch/run.ts'
import { openTable } from '../../../lake/delta/table.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { MESSAGES, RUNS, ticksTable } from '../../../lake/tables.ts'
import { startLakeWriter } from '../../../lake/writer/writer.ts'
import { encodeBlock } from '../../../log/block-codec.ts'
import { openJournal } from '../../../log/journal/journal.ts'
import { toColumns } from '../../../schemas/message.ts'
import type { Access } from '../../../schemas/ports/access.ts'
import { makeWake } from '../../../schemas/ports/wake.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { startAnswers } from '../../../serving/answer.ts'
import { makeApp } from '../../../serving/http/server.ts'
import { startSpeed } from '../../../speed/speed.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { simRandom } from '../../sim/random.ts'

export const NOW_MS = Date.UTC(2026, 10, 22, 12)

/** The API over everything below it, with the messages of docs/api.md: three published, one above the tidemark. */
export async function apiRig(access?: Access) {
  const clock = new SimClock(NOW_MS)
  const store = new MemoryStore(clock)
  const random = simRandom(1)
  const wake = makeWake()
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)
  const table = (name: string) => openTable(name, { store, clock, random })
  const messages = table(MESSAGES)
  const viewTable = table(serviceMinute.name)
  const ticks = table(ticksTable(serviceMinute))
  const runs = table(RUNS)
  const retentionMs = 86_400_000
  const log = await openJournal(
    { dir: '/journal', holder: 'test', floor: {} },
    { disk: new SimDisk(1), clock, logLine },
  )
  const writer = await startLakeWriter(
    { retentionMs, named: {} },
    { log, messages, views: [viewTable], clock, wake, logLine },
  )
  const view = serviceMinute
  const tickMs = 30_000
  const speed = await startSpeed(
    { view, tickMs, retentionMs },
    { log, ticks, viewTable, clock, wake, logLine },
  )
  const batch = await startBatch(
    { view, tickMs, schedule: null, engine: 'reference', retentionMs },
    {
      openEngine: openReference,
      messages,
      viewTable,
      ticks,
      runs,
      sealer: writer,
      clock,
      random,
      wake,
      logLine,
    },
  )
  const answers = await startAnswers(
    { view, tickMs, indexPath: ':memory:' },
    { viewTable, ticks, messages, openCells: speed, clock, wake, logLine },
  )
  const app = makeApp({
    answers,
    clock,
    status: async () => ({ speed: speed.status() }),
    ready: async () => ({ ready: true, reasons: [] }),
    runs: () => batch.runs(),
    runStarter: batch,
    ...(access && { access }),
    version: 'test',
    logLine,
  })

  async function send(service: string, host: string, time: string, gauges: number[]) {
    const message = { service, host, timeMs: Date.parse(time), gauges, agent: null, seq: null }
    await log.append(0, encodeBlock(toColumns([message])))
    await clock.advance(10)
  }
  await send('checkout', 'web-1', '2026-11-22T10:00:00.000Z', [10, 40, 71])
  await send('checkout', 'web-2', '2026-11-22T10:00:30.000Z', [20, 40, 71])
  await send('search', 'web-9', '2026-11-22T10:00:30.000Z', [5, 6, 7])
  await speed.tick()
  await batch.run({ full: false })
  await send('checkout', 'web-1', '2026-11-22T10:01:00.500Z', [30, 40, 71])

  return {
    app,
    store,
    batch,
    clock,
    lines,
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
