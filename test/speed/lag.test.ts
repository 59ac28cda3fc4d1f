import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { ticksTable } from '../../lake/tables/ticks.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { definitionHash } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startSpeed } from '../../speed/speed.ts'
import { blockOf } from '../lake/rows.ts'
import { SimClock } from '../sim/clock.ts'
import { drain } from '../sim/incarnation.ts'
import { SimLog } from '../sim/log.ts'
import { simRandom } from '../sim/random.ts'

const HASH = definitionHash(serviceMinute)

/** A log whose disk can fail, and which counts how often it is read. */
class FailingLog extends SimLog {
  fails = false
  reads = 0

  override async read(partition: number, after: number, blocksMax: number) {
    this.reads += 1
    if (this.fails) throw new TidemarkError('E_DISK', 'it fails')
    return super.read(partition, after, blocksMax)
  }
}

async function rig(log: SimLog) {
  const clock = new SimClock(100 * HOUR_MS)
  const deps = { store: new MemoryStore(clock), clock, random: simRandom(1) }
  const speed = await startSpeed(
    { tickMs: 30_000, retentionMs: HOUR_MS },
    {
      log,
      views: [
        {
          view: serviceMinute,
          ticks: openTable(ticksTable(serviceMinute), deps),
          published: openTable(serviceMinute.name, deps),
        },
      ],
      clock,
      wake: makeWake(),
      logLine: () => {},
    },
  )
  return { clock, speed }
}

test('what was in the log before the start may be as old as the log, until it is folded', async () => {
  const log = new FailingLog()
  log.fails = true
  log.blocks.push(blockOf(0, 1))
  const { clock, speed } = await rig(log)
  await drain()
  expect(speed.lag(HASH, 0)).toEqual({ start: -1, end: 0, behindSinceMs: 0 })
  await clock.advance(60_000)
  expect(speed.lag(HASH, 0)).toEqual({ start: -1, end: 0, behindSinceMs: 0 })
  log.fails = false
  await clock.advance(5_000)
  expect(speed.lag(HASH, 0)).toEqual({ start: -1, end: 0, behindSinceMs: null })
  // From then on it is behind since a block came.
  log.blocks.push(blockOf(1, 1))
  log.changed()
  expect(speed.lag(HASH, 0)).toEqual({ start: -1, end: 1, behindSinceMs: clock.nowMs() })
  await speed.close()
})

test('much that waits is asked for in few reads: with many senders each takes long', async () => {
  const log = new FailingLog()
  for (let n = 0; n < 10_000; n++) log.blocks.push(blockOf(n, 1))
  const { speed } = await rig(log)
  await drain()
  expect(speed.lag(HASH, 0)).toEqual({ start: -1, end: 9_999, behindSinceMs: null })
  expect(log.reads).toBeLessThan(10)
  await speed.close()
})
