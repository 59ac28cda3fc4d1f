import { expect, test } from 'vitest'
import { SEEN_REFUSALS_MAX } from '../../collector/intake/limits.ts'
import { SeenAgents } from '../../collector/intake/seen-agents.ts'
import { message, NOW_MS, Rig } from './rig.ts'

test('an agent is known with version, names, newest message and losses, also when it left and came back', async () => {
  const rig = await Rig.start()
  const hello = { hello: 1, agent: 'a1', version: '0.1.0', scope: 'container', lost: 3 }
  const client = await rig.connect()
  client.send(hello)
  await rig.run()
  client.send({ ...message(1), seq: 1 })
  client.send({ ...message(2), seq: 2 })
  await rig.run()
  const [seen] = rig.collector.agents()
  expect(seen).toMatchObject({
    agent: 'a1',
    remote: '127.0.0.1',
    version: '0.1.0',
    scope: 'container',
    connected: true,
    dataset: 'host',
    accepted: 2,
    lost: 3,
  })
  expect(seen!.names).toHaveLength(2)
  expect(Math.abs(seen!.newestMs! - NOW_MS)).toBeLessThan(1_000)
  client.socket.end()
  await rig.run()
  expect(rig.collector.agents()[0]).toMatchObject({ connected: false, accepted: 2 })
  const again = await rig.connect()
  again.send({ ...hello, version: 7 })
  await rig.run()
  expect(rig.collector.agents()).toMatchObject([{ connected: true, version: null, accepted: 2, lost: 6 }])
})

test('refusals are counted by reason, the last ones are told newest first, without tokens', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send(message(1))
  for (let i = 0; i < SEEN_REFUSALS_MAX; i++) client.send({ service: 'web', cpu: 'x', ram: 1, disk: 1 })
  client.send({ cpu: 1, ram: 1, disk: 1 })
  await rig.run()
  expect(rig.collector.status().refusals).toEqual([
    { code: 'E_GAUGE', refused: SEEN_REFUSALS_MAX },
    { code: 'E_SERVICE', refused: 1 },
  ])
  const told = rig.collector.refusals()
  expect(told).toHaveLength(SEEN_REFUSALS_MAX)
  expect(told[0]).toMatchObject({ code: 'E_SERVICE', field: 'service', remote: '127.0.0.1', agent: null })
  await rig.collector.forgetRejects(['web'])
  expect(rig.collector.refusals()).toEqual([])
})

test('who left longest ago makes room, whoever is connected stays; what is erased is forgotten', () => {
  const seen = new SeenAgents()
  const about = { version: null, scope: null, lost: 0 }
  const first = seen.enter('stays', 'r', about, 0)
  for (let i = 0; i < 10_001; i++) seen.enter(`left-${i}`, 'r', about, i).connected = false
  const ids = seen.list().map(({ agent }) => agent)
  expect([ids.length, ids[0], ids.includes('left-1'), ids.at(-1)]).toEqual([
    10_000,
    'stays',
    false,
    'left-10000',
  ])
  first.names = ['web', 'web-1']
  seen.forget(['web-1', 'left-5000'])
  expect(seen.list()).toHaveLength(9_999)
  first.connected = false
  seen.forget(['web-1'])
  expect(seen.list()).toHaveLength(9_998)
})
