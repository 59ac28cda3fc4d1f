import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { pause } from '../../../cli/host/clock.ts'
import { host } from '../../../schemas/datasets/host.ts'
import type { Message } from '../../../schemas/message.ts'
import type { Clock } from '../../../schemas/ports/clock.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { makeApp } from '../../../serving/http/server.ts'
import { HELD_MS_MAX, heldMs } from '../../held.ts'
import { simRandom } from '../../sim/random.ts'
import { answersRig, NOW_MS } from '../rig.ts'
import { ask } from './raw.ts'

const KEYS = 10_000
const MINUTE_MS = 60_000

/** Minutes of many services, in each layer one. */
const messages = (minute: number): Message[] =>
  Array.from({ length: KEYS }, (_, i): Message => {
    const timeMs = NOW_MS - 3_600_000 + minute * MINUTE_MS
    return { names: [`service-${i}`, 'h'], timeMs, gauges: [i % 101, 2, 3], agent: null, seq: null }
  })

/** Time passes with every look at it, so that parts are short. */
function quick(clock: Clock): Clock {
  let passedMs = 0
  const nowMs = () => {
    passedMs += 5
    return clock.nowMs() + passedMs
  }
  return { nowMs, after: (ms, fn) => clock.after(ms, fn) }
}

const DAY = `from=${NOW_MS - 86_400_000}&to=${NOW_MS}`
/** Where `rows` is null a file is answered. */
const QUESTIONS: readonly [path: string, named: string, rows: number | null][] = [
  [`/v1/analytics?${DAY}`, 'services', KEYS],
  [`/v1/analytics?${DAY}&sort=-cpu.p95&limit=50`, 'services', 50],
  ['/v1/services', 'services', KEYS],
  ['/v1/services?sort=-messages&limit=50', 'services', 50],
  [`/v1/views/service_minute/series?${DAY}&limit=1000&fields=cpu.mean`, 'keys', 1_000],
  ['/v1/services?format=csv', 'services', null],
  ['/v1/services?format=parquet', 'services', null],
  [`/v1/analytics?${DAY}&format=csv`, 'services', null],
  [`/v1/analytics?${DAY}&format=parquet`, 'services', null],
]

test('no question about ten thousand services holds up anybody else', async () => {
  await using rig = await answersRig(host, serviceMinute, { pause, clockOf: quick })
  await rig.publish(messages(0), 1)
  rig.hold(messages(1), 1, 2)
  await using app = makeApp({
    answers: rig.answers,
    random: simRandom(1),
    clock: rig.clock,
    pause,
    status: async () => ({}),
    ready: async () => ({ ready: true, reasons: [] }),
    runs: async () => [],
    runStarter: {
      start: () => ({ run: 'r', ended: Promise.resolve([]) }),
      find: async () => null,
      cancel: () => false,
    },
    version: 'test',
    logLine: () => {},
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  for (const [path, named, rows] of QUESTIONS) {
    const held = await heldMs(async () => {
      const { status, body } = await ask(port, path)
      expect([path, status]).toEqual([path, 200])
      if (rows === null) return
      const answer = JSON.parse(body) as { [named: string]: readonly { readonly messages?: number }[] }
      expect([answer[named]!.length, answer.complete]).toEqual([rows, true])
      expect(answer[named]!.every(({ messages = 2 }) => messages === 2)).toBe(true)
    })
    expect([path, held < HELD_MS_MAX]).toEqual([path, true])
  }
}, 120_000)

test('a version that comes between two parts of an answer counts nothing twice, and loses nothing', async () => {
  let between = async () => {}
  await using rig = await answersRig(host, serviceMinute, { pause: () => between(), clockOf: quick })
  const [first, second] = [messages(0).slice(0, 300), messages(1).slice(0, 300)]
  await rig.publish(first, 1)
  await rig.tick(second, 1, 2)
  let times = 0
  between = async () => {
    times += 1
    if (times === 2) await rig.publish([...first, ...second], 2)
  }
  const range = { fromMs: NOW_MS - 86_400_000, toMs: NOW_MS }
  const { stats, complete } = await rig.answers.analytics('service_minute', range)
  expect([stats.length, complete, times > 2]).toEqual([300, true, true])
  expect(stats.every((one) => one.messages === 2)).toBe(true)
  expect(new Set(stats.map(({ basis }) => basis.viewVersion)).size).toBe(2)
})
