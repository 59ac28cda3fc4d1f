import { expect, test } from 'vitest'
import { host } from '../../schemas/datasets/host.ts'
import type { Message } from '../../schemas/message.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { answersRig, NOW_MS } from './rig.ts'

const VIEW = serviceMinute.name

test('whoever has not read the lake since the start says so, until it was read', async () => {
  await using rig = await answersRig(host, serviceMinute, { isDown: true })
  const message: Message = { names: ['web', 'h'], timeMs: NOW_MS, gauges: [1, 2, 3], agent: null, seq: null }
  rig.hold([message], -1, 4)
  const range = { fromMs: 0, toMs: NOW_MS + 60_000 }
  const before = rig.answers.stats(VIEW, 'web', range)
  expect(before).toMatchObject({ complete: false, messages: 1 })
  expect(before?.gaps[0]?.reason).toMatch(/the lake was not read since the start: .*down/)
  expect(rig.answers.stats(VIEW, 'other', range)).toMatchObject({ complete: false, messages: 0 })
  expect(rig.lines.join('\n')).toMatch(/serving: .*down/)

  rig.store.faults = null
  await rig.clock.advance(1_500)
  expect(rig.answers.stats(VIEW, 'web', range)).toMatchObject({ complete: true, gaps: [], messages: 1 })
  expect(rig.answers.stats(VIEW, 'other', range)).toBe(null)
})
