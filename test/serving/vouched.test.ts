import { expect, test } from 'vitest'
import { host } from '../../schemas/datasets/host.ts'
import type { Message } from '../../schemas/message.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { answersRig, NOW_MS } from './rig.ts'

const RANGE = { fromMs: NOW_MS - 3_600_000, toMs: NOW_MS + 3_600_000 }
/** A tick of 30 s and 5 s. */
const BOUND_MS = 35_000

const message: Message = {
  names: ['web', 'web-1'],
  attributes: [],
  agent: null,
  seq: 0,
  timeMs: NOW_MS - 60_000,
  gauges: [1, 2, 3],
}
const messages = [message, message]

async function start(partitions = [0, 1]) {
  const rig = await answersRig(host, serviceMinute, { partitions })
  const ask = () => rig.answers.stats('service_minute', 'web', RANGE)!
  const reasons = () => ask().gaps.map(({ partition, reason }) => `${partition}: ${reason}`)
  return { ...rig, ask, reasons }
}

test('without open cells an answer is whole while the ticks of every partition vouch for the log’s end', async () => {
  const { tick, stillHere, clock, ask, reasons } = await start()
  await tick(messages, -1, 3, { partition: 0, endMs: NOW_MS })
  expect(ask()).toMatchObject({ messages: 2, complete: false })
  expect(reasons()).toEqual(['1: the speed layer has not read to the end of the log yet'])

  await stillHere(1, NOW_MS)
  expect(ask()).toMatchObject({ messages: 2, complete: true, gaps: [] })

  await clock.advance(BOUND_MS)
  expect(ask().complete).toBe(true)
  await clock.advance(1)
  expect(reasons()).toEqual(
    [0, 1].map((p) => `${p}: the speed layer was last at the end of the log at 2026-11-23T00:00:00.000Z`),
  )

  for (const partition of [0, 1]) await stillHere(partition, clock.nowMs())
  expect(ask().complete).toBe(true)
})

test('a tick that is missing between others is named, whatever the last one vouches for', async () => {
  const { publish, tick, ask, reasons } = await start([0])
  await publish(messages, 3)
  await tick(messages, 5, 7, { endMs: NOW_MS })
  expect(ask()).toMatchObject({ messages: 2, complete: false })
  expect(reasons()).toEqual(['0: the committed ticks do not continue what is published'])
  await publish([...messages, ...messages], 5)
  expect(ask()).toMatchObject({ messages: 6, complete: true })
})

test('a view that came later than messages which no tick holds is answered once it is published', async () => {
  const { tick, ask } = await start([0])
  await tick(messages, 5, 7, { endMs: NOW_MS })
  expect(ask).toThrow(/answers once a run has published it/)
})
