import { expect, test } from 'vitest'
import { readKept } from '../../log/read-kept.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { block, openOn, START_MS } from './journal/samples.ts'

/** A journal of 40 blocks, a minute apart, trimmed as far as 30 allows. */
async function trimmed() {
  const clock = new SimClock(START_MS)
  const log = await openOn(new SimDisk(1), { clock })
  for (let i = 1; i <= 40; i++) {
    await log.append(0, block('a', i))
    await clock.advance(60_000)
  }
  await log.trim({ 0: 30 })
  return { log, start: log.start(0) }
}

test('who comes from before the trimmed part begins behind it, with a gap between the log times around it', async () => {
  const { log, start } = await trimmed()
  expect(start).toBeGreaterThan(4)
  const slice = await readKept(log, { partition: 0, after: 2, afterMs: START_MS + 120_000 }, 3)
  expect(slice.blocks.map(({ offset }) => offset)).toEqual([start + 1, start + 2, start + 3])
  expect(slice.gaps).toMatchObject([
    { partition: 0, from: 2, to: start, fromMs: START_MS + 120_000, toMs: START_MS + (start + 1) * 60_000 },
  ])
  const next = await readKept(log, { partition: 0, after: slice.to, afterMs: slice.toMs }, 3)
  expect([next.blocks[0]!.offset, next.gaps]).toEqual([start + 4, []])
})

test('who comes from the end of the trimmed part has no gap', async () => {
  const { log, start } = await trimmed()
  const slice = await readKept(log, { partition: 0, after: start, afterMs: 0 }, 1)
  expect([slice.blocks[0]!.offset, slice.gaps]).toEqual([start + 1, []])
})
