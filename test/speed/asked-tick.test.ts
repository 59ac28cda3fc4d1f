import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { ticksTable } from '../../lake/tables/ticks.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startSpeed } from '../../speed/speed.ts'
import { blockOf } from '../lake/rows.ts'
import { SimClock } from '../sim/clock.ts'
import { SimLog } from '../sim/log.ts'
import { simRandom } from '../sim/random.ts'

/** A log that has always grown when one has read it, as with many senders. */
class GrowingLog extends SimLog {
  grows = false

  override async read(partition: number, after: number, blocksMax: number) {
    const slice = await super.read(partition, after, blocksMax)
    if (this.grows) {
      this.blocks.push(blockOf(this.blocks.length, 1))
      this.changed()
    }
    return slice
  }
}

async function rig(log: SimLog, cellsMax?: number) {
  const clock = new SimClock(100 * HOUR_MS)
  const store = new MemoryStore(clock)
  const deps = { store, clock, random: simRandom(1) }
  const ticks = openTable(ticksTable(serviceMinute), deps)
  const published = openTable(serviceMinute.name, deps)
  const views = [{ view: serviceMinute, ticks, published }]
  const speed = await startSpeed(
    { tickMs: 30_000, retentionMs: HOUR_MS, ...(cellsMax !== undefined && { cellsMax }) },
    { log, views, clock, wake: makeWake(), logLine: () => {} },
  )
  const committedTo = () => speed.status().chains[0]!.committedTo
  return { store, speed, committedTo }
}

test('a tick that is asked for holds what was in the log, however fast that grows', async () => {
  const log = new GrowingLog()
  const { speed, committedTo } = await rig(log)
  for (let n = 0; n < 3; n++) log.blocks.push(blockOf(n, 1))
  log.grows = true
  expect(await speed.tick()).toBe(null)
  expect(committedTo()).toBeGreaterThanOrEqual(2)
  log.grows = false
  await speed.close()
})

test('it holds all of it also where cells must be committed before more can be folded', async () => {
  const log = new SimLog()
  const { speed, committedTo } = await rig(log, 1)
  for (let n = 0; n < 5_000; n++) log.blocks.push(blockOf(n, 1))
  expect(await speed.tick()).toBe(null)
  expect(committedTo()).toBe(4_999)
  await speed.close()
})

test('it says why there is none', async () => {
  const log = new SimLog()
  const { store, speed } = await rig(log)
  log.blocks.push(blockOf(0, 1))
  store.faults = ({ what }) => {
    if (what === 'putIfAbsent') throw new TidemarkError('E_DISK_FULL', 'no space left')
  }
  expect(await speed.tick()).toMatch(/no space left/)
  store.faults = null
  expect(await speed.tick()).toBe(null)
  await speed.close()
})
