import { expect, test } from 'vitest'
import type { Snapshot } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { allViews, lakeTables } from '../../lake/tables/deployment.ts'
import { coveredPosition, logFacts } from '../../lake/tables/messages.ts'
import { viewSchema, withViewState } from '../../lake/tables/published.ts'
import { ticksOf } from '../../lake/tables/ticks.ts'
import { startLakeWriter } from '../../lake/writer/writer.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { defineView, definitionHash, definitionJson } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startSpeed } from '../../speed/speed.ts'
import { block, openOn, START_MS } from '../log/journal/samples.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { drain } from '../sim/incarnation.ts'
import { simRandom } from '../sim/random.ts'

/** A lake over a store, and a journal of 40 blocks, the first of them trimmed. */
async function rig() {
  const clock = new SimClock(START_MS)
  const log = await openOn(new SimDisk(1), { clock })
  for (let i = 1; i <= 40; i++) {
    await log.append(0, block('a', i))
    await clock.advance(1_000)
  }
  await log.trim({ 0: 20 })
  const start = log.start(0)
  const wake = makeWake()
  const lines: string[] = []
  const deps = { log, clock, wake, logLine: (line: string) => void lines.push(line) }
  const store = new MemoryStore(clock)
  const tables = (datasets: readonly Dataset[]) => {
    const views = [serviceMinute, ...datasets.slice(1).map((one) => defineView(one, viewOf(one)))]
    return lakeTables({ datasets, views }, (name) => openTable(name, { store, clock, random: simRandom(1) }))
  }
  async function seal(datasets: readonly Dataset[]) {
    const config = { retentionMs: DAY_MS, named: { 0: 39 } }
    const writer = await startLakeWriter(config, { ...deps, datasets: tables(datasets).datasets })
    await writer.seal()
    const { state } = writer.status()
    await writer.close()
    const snapshots = await Promise.all(tables(datasets).datasets.map((one) => one.messages.snapshot()))
    return { state, snapshots: snapshots as Snapshot[] }
  }
  return { clock, log, start, deps, lines, tables, seal }
}

const viewOf = ({ name, keys }: Dataset) => ({ name: `${name}_minute`, key: [keys[0]!] })

const scores: Dataset = { ...host, name: 'scores', keys: ['group'], source: null }

test('a lake that knows nothing beside a trimmed journal: what was trimmed is a gap, the rest is sealed', async () => {
  const { start, seal } = await rig()
  const { state, snapshots } = await seal([host])
  expect(state).toBe('ok')
  expect(coveredPosition(snapshots[0]!)).toEqual({ 0: 39 })
  expect(logFacts(snapshots[0]!).gaps).toMatchObject([
    { partition: 0, from: -1, to: start, fromMs: 0, toMs: START_MS + (start + 1) * 1_000 },
  ])
  const rows = [...snapshots[0]!.files.values()].reduce((sum, file) => sum + file.rows, 0)
  expect(rows).toBe(39 - start)
})

test('a dataset that is new beside a trimmed journal lacks nothing', async () => {
  const { seal } = await rig()
  await seal([host])
  const { snapshots } = await seal([host, scores])
  expect(snapshots.map(coveredPosition)).toEqual([{ 0: 39 }, { 0: 39 }])
  expect(logFacts(snapshots[1]!).gaps).toEqual([])
})

test('a dataset whose first seal a crash cut off is not new: it is sealed from the beginning of the log', async () => {
  const { seal, tables, deps } = await rig()
  const config = { retentionMs: DAY_MS, named: { 0: 39 } }
  await (await startLakeWriter(config, { ...deps, datasets: tables([host, scores]).datasets })).close()
  await seal([host])
  const { snapshots } = await seal([host, scores])
  expect(snapshots.map(coveredPosition)).toEqual([{ 0: 39 }, { 0: 39 }])
  // What was trimmed before may have been its.
  expect(logFacts(snapshots[1]!).gaps).toMatchObject([{ partition: 0, from: -1 }])
})

test('speed goes on from a version older than the journal: its tick names what is missing', async () => {
  const { start, deps, tables, clock, lines } = await rig()
  const views = allViews(tables([host]))
  const { published, ticks } = views[0]!
  const empty = await published.create(viewSchema(serviceMinute), {})
  const configuration = withViewState(empty, {
    ...{
      tidemark: { 0: 5 },
      logTimeMs: { 0: START_MS + 5_000 },
      messagesVersion: 0,
      dirtyHours: [],
      gaps: [],
    },
    ...{ hash: definitionHash(serviceMinute), definition: definitionJson(serviceMinute), run: 'r' },
  })
  await published.commit(empty, { operation: 'PUBLISH', dataChange: false, configuration })
  const speed = await startSpeed({ tickMs: 30_000, retentionMs: DAY_MS }, { ...deps, views })
  await clock.advance(31_000)
  await drain()
  const found = ticksOf(await ticks.snapshot())
  expect(found).toMatchObject([{ from: 5, to: 39 }])
  expect(found[0]!.gaps).toMatchObject([
    { from: 5, to: start, fromMs: START_MS + 5_000, toMs: START_MS + (start + 1) * 1_000 },
  ])
  expect([speed.status().state, lines]).toEqual(['ok', []])
  await speed.close()
})
