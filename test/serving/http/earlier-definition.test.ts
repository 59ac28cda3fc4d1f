import { expect, test } from 'vitest'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import type { Answers, Stats } from '../../../serving/answers.ts'
import { makeApp } from '../../../serving/http/server.ts'
import { apiRig, NOW_MS } from './rig.ts'

const DAY = 'from=2026-11-22&to=2026-11-23'

test('stats of an earlier definition have its gauges, whatever the view has today', async () => {
  await using rig = await apiRig()
  const range = { fromMs: Date.UTC(2026, 10, 22), toMs: NOW_MS }
  const today = rig.answers.stats('service_minute', 'checkout', range)!
  // Before, there was no disk.
  const view = { ...serviceMinute, gauges: serviceMinute.gauges.slice(0, 2) }
  const earlier: Stats = { ...today, view, gauges: today.gauges.slice(0, 2) }
  const answers: Answers = { ...rig.answers, stats: () => earlier, statsAsOf: async () => earlier }
  const none = () => {
    throw new Error('nobody asks for it')
  }
  await using app = makeApp({
    answers,
    clock: rig.clock,
    status: none,
    ready: none,
    runs: none,
    runStarter: rig.batch,
    version: 'test',
    logLine: none,
  } as never)
  for (const asked of [DAY, `${DAY}&as_of=1`]) {
    const response = await app.inject({ url: `/v1/services/checkout/stats?${asked}` })
    expect([asked, response.statusCode]).toEqual([asked, 200])
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(Object.keys(response.json())).toEqual(
      expect.arrayContaining(['cpu', 'ram', 'messages', 'complete']),
    )
    expect(response.json()).not.toHaveProperty('disk')
  }
})
