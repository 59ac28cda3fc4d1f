import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { agentsInLake } from '../../lake/tables/agents.ts'
import { messagesSchema, sealApp } from '../../lake/tables/messages.ts'
import { encodeSeal } from '../../lake/writer/seal-files.ts'
import { host } from '../../schemas/datasets/host.ts'
import { toColumns } from '../../schemas/message.ts'
import { DAY_MS, TIME_MS_MIN } from '../../schemas/time.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'

const START_MS = Date.UTC(2026, 10, 22)

/** A table to which an agent's message of a time can be sealed now. */
async function world() {
  const clock = new SimClock(START_MS)
  const store = new MemoryStore(clock)
  const table = openTable('messages', { store, clock, random: simRandom(1) })
  await table.create(messagesSchema(host), {})
  let offset = 0
  async function seal(agent: string, seq: number, timeMs: number) {
    const one = { names: ['web', 'h'], timeMs, gauges: [1, 2, 3], agent, seq }
    const block = {
      partition: 0,
      offset: offset++,
      logTimeMs: clock.nowMs(),
      messages: toColumns(host, [one]),
    }
    const { bytes, about } = encodeSeal([{ dataset: host, after: -1 }], [{ block, rows: null }]).files[0]!
    await table.commit((await table.snapshot())!, {
      operation: 'SEAL',
      add: [await table.writeFile(bytes, about)],
      dataChange: true,
      txns: { [sealApp(0)]: { version: block.offset, lastUpdatedMs: clock.nowMs() } },
    })
  }
  const agents = async () =>
    Object.fromEntries([...(await agentsInLake([table], () => {}))].map(([id, { seq }]) => [id, seq]))
  return { clock, store, seal, agents }
}

test('an agent is known by its highest number, however old the time that it wrote on it', async () => {
  const { seal, agents } = await world()
  await seal('a', 7, START_MS)
  await seal('a', 8, Date.UTC(2001, 0, 1))
  await seal('b', 1, TIME_MS_MIN)
  expect(await agents()).toEqual({ a: 8, b: 1 })
})

test('files of before what is remembered are not read', async () => {
  const { clock, store, seal, agents } = await world()
  await seal('gone', 7, START_MS)
  await clock.advance(92 * DAY_MS)
  await seal('here', 1, clock.nowMs())
  const read: string[] = []
  store.faults = ({ what, key, when }) => {
    if (what === 'get' && when === 'before' && key.endsWith('.parquet')) read.push(key)
  }
  expect(await agents()).toEqual({ here: 1 })
  expect(read.length).toBe(1)
})
