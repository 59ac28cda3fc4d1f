import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { ticksTable } from '../../lake/tables/ticks.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startSpeed } from '../../speed/speed.ts'
import { encodeBlock } from '../sim/blocks.ts'
import { SimClock } from '../sim/clock.ts'
import { drain } from '../sim/incarnation.ts'
import { SimLog } from '../sim/log.ts'
import { hostColumns } from '../sim/messages.ts'
import { simRandom } from '../sim/random.ts'

const TICK_MS = 30_000

test('while no tick can be committed it is failing, all the time, and commits soon after one can', async () => {
  const clock = new SimClock(100 * HOUR_MS)
  const random = simRandom(1)
  const store = new MemoryStore(clock)
  const table = (name: string) => openTable(name, { store, clock, random })
  const [published, ticks] = [table(serviceMinute.name), table(ticksTable(serviceMinute))]
  const log = new SimLog()
  const speed = await startSpeed(
    { tickMs: TICK_MS, retentionMs: HOUR_MS },
    { log, views: [{ view: serviceMinute, published, ticks }], clock, wake: makeWake(), logLine: () => {} },
  )
  const version = async () => (await ticks.snapshot())!.version
  const before = await version()
  await log.append(0, encodeBlock(hostColumns([{ service: 'web', host: 'h', timeMs: 0, gauges: [1, 2, 3] }])))
  await drain()
  // It can be read still.
  store.faults = ({ what, key }) => {
    if (what === 'putIfAbsent') throw new TidemarkError('E_DISK_FULL', `${key}: no space left`)
  }
  await clock.advance(TICK_MS)
  for (let ms = 0; ms < 2 * TICK_MS; ms += 100) {
    expect(speed.status()).toMatchObject({ state: 'failing', reason: expect.stringContaining('E_DISK_FULL') })
    await clock.advance(100)
  }
  store.faults = null
  await clock.advance(2_000)
  expect(speed.status().state).toBe('ok')
  expect(await version()).toBe(before + 1)
  await speed.close()
})
