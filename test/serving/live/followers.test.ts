import fc from 'fast-check'
import { expect, test } from 'vitest'
import { host } from '../../../schemas/datasets/host.ts'
import type { Message } from '../../../schemas/message.ts'
import { MINUTE_MS } from '../../../schemas/time.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { presentingCells } from '../../../serving/http/present.ts'
import { answersRig, NOW_MS } from '../rig.ts'
import { Client, followersRig } from './rig.ts'

const message = (service: string, minutesAgo: number, cpu = 1): Message => ({
  names: [service, 'h'],
  timeMs: NOW_MS - minutesAgo * MINUTE_MS,
  gauges: [cpu, 2, 3],
  agent: null,
  seq: null,
})

test('a follower is told the newest cells, then each that changes, and nothing that is old', async () => {
  await using rig = await answersRig(host, serviceMinute)
  const followers = followersRig(rig)
  rig.hold([message('web', 1), message('web', 60), message('db', 1)], -1, 1)
  const client = new Client(followers)
  await client.takeAll(() => rig.clock.advance(1))
  expect(client.events[0]).toMatch(/^retry: 1000\nevent: begin\ndata: .*"view":"service_minute"/)
  expect([...client.cells.values()].map(({ service, messages }) => [service, messages])).toEqual([
    ['db', 1],
    ['web', 1],
  ])
  const before = client.events.length
  rig.hold([message('web', 1), message('web', 60), message('db', 1), message('db', 1, 9)], -1, 2)
  await client.takeAll(() => rig.clock.advance(1_000))
  expect(client.events.slice(before).filter((event) => event.includes('event: cells'))).toHaveLength(1)
  expect(client.events.at(-1)).toMatch(/"service":"db".*"messages":2,"cpu":{"total":10,.*"complete":true/)
  await followers.close()
})

test('however slowly it takes and often it comes back, a follower has what the answers say', async () => {
  const services = ['a', 'b', 'c', 'd']
  const step = fc.oneof(
    fc.record({ send: fc.constantFrom(...services), ago: fc.integer({ min: 0, max: 4 }) }),
    fc.constant('take' as const),
    fc.constant('wait' as const),
    fc.constant('break' as const),
    fc.constant('publish' as const),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      await using rig = await answersRig(host, serviceMinute)
      const followers = followersRig(rig)
      const all: Message[] = []
      let [published, held] = [-1, 0]
      let client = new Client(followers)
      const seen = client.cells
      for (const one of steps) {
        if (one === 'take') {
          client.take()
          await rig.clock.advance(1)
        } else if (one === 'wait') await rig.clock.advance(300)
        else if (one === 'break') {
          client.gone.abort()
          await rig.clock.advance(1)
          for (const [id, cell] of client.cells) seen.set(id, cell)
          client = new Client(followers, { lastId: client.lastId })
        } else if (one === 'publish') {
          published = held
          await rig.publish(all, published)
          rig.hold([], published, held)
        } else {
          all.push(message(one.send, one.ago))
          held += 1
          rig.hold(all.slice(all.length - (held - Math.max(published, 0))), published, held)
        }
      }
      await client.takeAll(() => rig.clock.advance(1_000))
      for (const [id, cell] of client.cells) seen.set(id, cell)
      const range = { fromMs: NOW_MS - 5 * MINUTE_MS, toMs: NOW_MS + MINUTE_MS }
      const { cells } = rig.answers.seriesOfAll('service_minute', services, range, MINUTE_MS)
      const present = presentingCells(cells)
      const expected = Array.from({ length: cells.length }, (_, i) => present(i) as { service: string })
      const told = [...seen.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1))
      expect(told).toEqual(expected.sort((a, b) => (key(a) < key(b) ? -1 : 1)))
      await followers.close()
    }),
    { numRuns: 60 },
  )
})

const key = (cell: object) => {
  const { service, time_stamp } = cell as { service: string; time_stamp: string }
  return `${service} ${time_stamp}`
}

test('whoever comes back is told what changed since; with an id of another start, all', async () => {
  await using rig = await answersRig(host, serviceMinute)
  const followers = followersRig(rig)
  const both = [message('web', 1), message('db', 1)]
  rig.hold(both, -1, 1)
  const first = new Client(followers)
  await first.takeAll(() => rig.clock.advance(1))
  first.gone.abort()
  rig.hold([...both, message('web', 1)], -1, 2)
  await rig.clock.advance(1_000)
  const back = new Client(followers, { lastId: first.lastId })
  await back.takeAll(() => rig.clock.advance(1))
  expect([...back.cells.values()].map(({ service, messages }) => [service, messages])).toEqual([['web', 2]])
  const other = new Client(followers, { lastId: 'abc.1-7' })
  await other.takeAll(() => rig.clock.advance(1))
  expect(other.cells.size).toBe(2)
  await followers.close()
})

test('a follower that takes nothing for a minute is let go, others are not', async () => {
  await using rig = await answersRig(host, serviceMinute)
  const followers = followersRig(rig)
  rig.hold([message('web', 1)], -1, 1)
  const [slow, quick] = [new Client(followers), new Client(followers)]
  slow.take()
  for (let n = 0; n < 90; n++) {
    quick.take()
    await rig.clock.advance(1_000)
  }
  expect([slow.dropped, quick.dropped, followers.size]).toEqual([true, false, 1])
  expect(quick.events.at(-1)).toMatch(/^id: .+\n: nothing new\n\n$/)
  await followers.close()
})

test('at the end every follower is told so, and nothing is left running', async () => {
  await using rig = await answersRig(host, serviceMinute)
  const followers = followersRig(rig)
  rig.hold([message('web', 1)], -1, 1)
  const clients = Array.from({ length: 3 }, () => new Client(followers))
  for (const client of clients) {
    await client.takeAll(() => rig.clock.advance(1))
    client.take()
  }
  const before = rig.clock.pending
  await followers.close()
  await rig.clock.advance(1_000)
  for (const client of clients) {
    expect(client.events.at(-1)).toBe('event: end\ndata: {}\n\n')
    client.take()
  }
  await rig.clock.advance(1)
  expect([followers.size, rig.clock.pending < before]).toEqual([0, true])
})

test('what changed for many is told in several events, and only the last has an id', async () => {
  await using rig = await answersRig(host, serviceMinute)
  const followers = followersRig(rig)
  rig.hold(
    Array.from({ length: 450 }, (_, i) => message(`service-${i}`, 1)),
    -1,
    1,
  )
  const client = new Client(followers)
  await client.takeAll(() => rig.clock.advance(1))
  const parts = client.events.filter((event) => event.includes('event: cells'))
  expect(parts.map((event) => /^id: /m.test(event))).toEqual([false, false, true])
  expect(client.cells.size).toBe(450)
  await followers.close()
})
