import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { decodeCells } from '../../lake/parquet/cells.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { RepeatStates } from '../../lake/tables/repeat-states.ts'
import { chainFrom, ticksOf, ticksTable, vouchedBy } from '../../lake/tables/ticks.ts'
import { openKafkaLog } from '../../log/kafka/kafka-log.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { definitionHash } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { foldGiven } from '../../speed/fold-given.ts'
import { EndsSeen, vouch } from '../../speed/vouch.ts'
import { MemoryTopic } from '../log/kafka/memory-topic.ts'
import { encodeBlock } from '../sim/blocks.ts'
import { SimClock } from '../sim/clock.ts'
import { hostColumns } from '../sim/messages.ts'
import { simRandom } from '../sim/random.ts'
import { exactRows } from '../simulator/oracle.ts'

const RECORDS = 20
const NOW_MS = 100 * HOUR_MS

async function rig() {
  const clock = new SimClock(NOW_MS)
  const random = simRandom(1)
  const store = new MemoryStore(clock)
  const topic = new MemoryTopic()
  const spec = { partitions: 1, replication: 1, minInsync: 1, flush: false }
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)
  const log = await openKafkaLog(spec, { client: topic, clock, random, logLine })
  // An agent that changed its collector has sent a message again in every third record.
  for (let i = 0; i < RECORDS; i++) {
    const seqs = i % 3 === 2 ? [2 * i - 1, 2 * i, 2 * i + 1] : [2 * i, 2 * i + 1]
    const messages = seqs.map((seq) => {
      return { service: `s${seq % 2}`, host: 'h', timeMs: seq * 20_000, gauges: [seq, 1, 2], agent: 'a', seq }
    })
    await log.append(0, encodeBlock(hostColumns(messages)))
  }
  const views = () => {
    const table = (name: string) => openTable(name, { store, clock, random })
    const view = serviceMinute
    return { view, published: table(view.name), ticks: table(ticksTable(view)) }
  }
  const records = topic.stored.map((record, offset) => ({ ...record, offset }))
  async function* groups(from: number, to: number) {
    if (from < to) yield records.slice(from, to)
  }
  return {
    clock,
    log,
    store,
    lines,
    views,
    async fold(from: number, to: number) {
      const states = new RepeatStates({ store, clock, logLine })
      const deps = { log, states, views: [views()], clock, retentionMs: HOUR_MS, logLine }
      return foldGiven(0, groups(from, to), deps)
    },
    /** The cells of all ticks that continue each other, and where they end. */
    async cells() {
      const { ticks } = views()
      const chain = chainFrom(ticksOf(await ticks.snapshot()), definitionHash(serviceMinute), 0, -1)
      const fold = new CellFold(serviceMinute)
      for (const { file } of chain) fold.merge(await decodeCells(serviceMinute, await ticks.readFile(file)))
      return { to: chain.at(-1)?.to ?? -1, rows: exactRows(fold.cells()) }
    },
  }
}

test('records given once, again, overlapping, or not at all count once', async () => {
  const [one, whole] = [await rig(), await rig()]
  await whole.fold(0, RECORDS)
  const want = await whole.cells()
  expect(want.to).toBe(RECORDS - 1)
  expect(await one.fold(0, 5)).toEqual({ partition: 0, given: 5, asked: 0 })
  expect(await one.fold(0, 5)).toEqual({ partition: 0, given: 5, asked: 0 })
  expect(await one.fold(3, 9)).toEqual({ partition: 0, given: 6, asked: 0 })
  // A batch was skipped: what lies between is read from the log itself.
  expect(await one.fold(14, RECORDS)).toEqual({ partition: 0, given: 6, asked: 5 })
  expect(await one.fold(7, 7)).toEqual({ partition: 0, given: 0, asked: 0 })
  expect(await one.cells()).toEqual(want)
  expect(one.lines).toEqual([])
})

test('two jobs that fold the same records at the same time commit them once', async () => {
  const [one, whole] = [await rig(), await rig()]
  await whole.fold(0, RECORDS)
  const folds = [one.fold(0, 12), one.fold(0, 12), one.fold(8, RECORDS)]
  await Promise.allSettled(folds)
  await one.fold(12, RECORDS)
  expect(await one.cells()).toEqual(await whole.cells())
})

test('it is said up to when the ticks hold everything, by where the log ended', async () => {
  const { clock, log, views, fold } = await rig()
  const hash = definitionHash(serviceMinute)
  const said = async () =>
    vouchedBy(await views().ticks.snapshot(), serviceMinute.name, hash, 0)?.endMs ?? null
  const ends = new EndsSeen()
  ends.note({ partitions: () => [0], end: () => 9 }, NOW_MS)
  await clock.advance(1_000)
  ends.note(log, NOW_MS + 1_000)
  await fold(0, 5)
  expect([await vouch(views(), log, ends), await said()]).toEqual([false, null])
  await fold(5, 12)
  expect([await vouch(views(), log, ends), await said()]).toEqual([true, NOW_MS])
  expect(await vouch(views(), log, ends)).toBe(false)
  await fold(12, RECORDS)
  ends.note(log, NOW_MS + 2_000)
  expect([await vouch(views(), log, ends), await said()]).toEqual([true, NOW_MS + 2_000])
})
