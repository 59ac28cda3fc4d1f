import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { viewSchema, withViewState } from '../../lake/tables/published.ts'
import { ticksOf, ticksTable } from '../../lake/tables/ticks.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { definitionHash, definitionJson } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startSpeed } from '../../speed/speed.ts'
import { blockOf } from '../lake/rows.ts'
import { SimClock } from '../sim/clock.ts'
import { drain } from '../sim/incarnation.ts'
import { SimLog } from '../sim/log.ts'
import { simRandom } from '../sim/random.ts'

test('what was published, and trimmed, under a late worker is no gap of its ticks', async () => {
  const clock = new SimClock(100 * HOUR_MS)
  const deps = { store: new MemoryStore(clock), clock, random: simRandom(1) }
  const ticks = openTable(ticksTable(serviceMinute), deps)
  const published = openTable(serviceMinute.name, deps)
  const views = [{ view: serviceMinute, ticks, published }]
  const log = new SimLog()
  const start = () =>
    startSpeed(
      { tickMs: HOUR_MS, retentionMs: HOUR_MS },
      { log, views, clock, wake: makeWake(), logLine: () => {} },
    )
  const grow = (blocks: number) => {
    for (let n = 0; n < blocks; n++) log.blocks.push(blockOf(log.blocks.length, 1))
  }
  const [first, late] = [await start(), await start()]
  grow(8)
  expect(await first.tick()).toBe(null)
  const empty = await published.create(viewSchema(serviceMinute), {})
  const configuration = withViewState(empty, {
    ...{ tidemark: { 0: 7 }, hash: definitionHash(serviceMinute), definition: definitionJson(serviceMinute) },
    ...{ messagesVersion: 1, dirtyHours: [], gaps: [], run: 'run-1' },
  })
  await published.commit(empty, { operation: 'PUBLISH', dataChange: true, configuration })
  log.begin = 7
  grow(2)
  log.changed()
  await drain()
  expect(await late.tick()).toBe(null)
  const last = ticksOf(await ticks.snapshot()).map(({ from, to, gaps }) => ({ from, to, gaps }))
  expect(last).toContainEqual({ from: 7, to: 9, gaps: [] })
  expect(last.flatMap(({ gaps }) => gaps)).toEqual([])
  for (const speed of [first, late]) await speed.close()
})
