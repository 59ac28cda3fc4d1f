import { expect, test } from 'vitest'
import type { Snapshot, Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { lakeTables } from '../../lake/tables/deployment.ts'
import { coveredPosition, logFacts } from '../../lake/tables/messages.ts'
import { RepeatStates } from '../../lake/tables/repeat-states.ts'
import { startLakeWriter } from '../../lake/writer/writer.ts'
import { host } from '../../schemas/datasets/host.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { SimClock } from '../sim/clock.ts'
import { SimLog } from '../sim/log.ts'
import { simRandom } from '../sim/random.ts'
import { blockOf, DATE } from './rows.ts'

const scores = { ...host, name: 'scores' }
const definitions = { datasets: [host, scores], views: [serviceMinute] }

class LogWithRepeats extends SimLog {
  readonly repeats = true
}

/** The table as it was before, as long as `isLate` says so and nothing is committed to it. */
function asBefore(table: Table, before: Snapshot, isLate = () => true): Table {
  let isChanged = false
  return new Proxy(table, {
    get(on, name) {
      if (name === 'snapshot' && !isChanged && isLate()) return async () => before
      if (name === 'commit') isChanged = true
      const value = Reflect.get(on, name)
      return typeof value === 'function' ? value.bind(on) : value
    },
  })
}

/** A writer of two datasets has sealed all; a second begins when it last saw one of them, and the log was trimmed since. */
async function rig() {
  const clock = new SimClock(Date.parse(`${DATE}T00:00:00Z`) + DAY_MS)
  const store = new MemoryStore(clock)
  const open = () =>
    lakeTables(definitions, (name) => openTable(name, { store, clock, random: simRandom(1) })).datasets
  const log = new LogWithRepeats()
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)
  const states = new RepeatStates({ store, clock, logLine })
  const start = (datasets: ReturnType<typeof open>) =>
    startLakeWriter(
      { retentionMs: DAY_MS, named: {} },
      { log, states, datasets, clock, wake: makeWake(), logLine },
    )
  const grow = (blocks: number) => {
    for (let n = 0; n < blocks; n++) log.blocks.push(blockOf(log.blocks.length, 3))
  }
  const first = await start(open())
  grow(4)
  await first.seal()
  const before = (await open()[1]!.messages.snapshot())!
  grow(4)
  await first.seal()
  await first.close()
  const trim = () => {
    log.begin = 7
    for (const key of store.objects.keys())
      if (key.startsWith('repeats/0/0000000000000003')) store.objects.delete(key)
  }
  const facts = async () => {
    const snapshots = await Promise.all(open().map(({ messages }) => messages.snapshot()))
    return snapshots.map((snapshot) => [coveredPosition(snapshot!), logFacts(snapshot!).gaps])
  }
  return { log, open, before, start, grow, trim, facts, lines }
}

test('what was trimmed under a late writer is no gap of a table that holds it', async () => {
  const { log, open, before, start, grow, facts } = await rig()
  log.begin = 7
  grow(2)
  const [hosts, late] = open()
  const second = await start([hosts!, { ...late!, messages: asBefore(late!.messages, before) }])
  await second.seal()
  await second.close()
  expect(await facts()).toEqual([
    [{ 0: 9 }, []],
    [{ 0: 9 }, []],
  ])
})

test('a late writer looks again before it says that something is lost', async () => {
  const { log, open, before, start, grow, trim, facts } = await rig()
  const [hosts, late] = open()
  let isLate = true
  const messages = asBefore(late!.messages, before, () => isLate)
  const second = await start([hosts!, { ...late!, messages }])
  trim()
  grow(2)
  const read = log.read.bind(log)
  log.read = (...args) => {
    isLate = false
    return read(...args)
  }
  await second.seal()
  await second.close()
  expect(await facts()).toEqual([
    [{ 0: 9 }, []],
    [{ 0: 9 }, []],
  ])
})
