import { expect, test } from 'vitest'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import { Client, Rig } from '../collector/rig.ts'
import { TestAccess } from '../sim/access.ts'
import { close, connectAgent } from './rig.ts'

/** An agent that sends by what `token` gives. */
const start = (rig: Rig, token: () => Promise<string>) => connectAgent(rig, { token })

test('with a valid token samples arrive; revoked they wait, and a new one lets them through', async () => {
  const access = new TestAccess({ first: 'agent', second: 'agent' })
  const rig = await Rig.start({ port: 7070 }, 1, access)
  let token = 'first'
  const agent = start(rig, async () => token)
  for (let i = 0; i < 5; i++) await rig.run(1_000)
  expect(agent.status()).toMatchObject({ state: 'connected', lost: 0 })
  access.revoke('first')
  for (let i = 0; i < 100; i++) await rig.run(1_000)
  expect(agent.status()).toMatchObject({ state: 'connecting', lost: 0 })
  expect(agent.status().queued).toBeGreaterThan(95)
  expect(rig.lines).toEqual([
    expect.stringMatching(/refuses: there is no such access token.*\(E_TOKEN\).*--token-file/),
  ])
  token = 'second'
  for (let i = 0; i < 40; i++) await rig.run(1_000)
  expect(agent.status()).toMatchObject({ state: 'connected', lost: 0 })
  await close(agent, rig)
  const sent = rig.log.messages().map(({ seq }) => seq)
  expect(sent).toEqual(sent.map((_, i) => i + 1))
})

test('refused, it tries again slowly', async () => {
  const rig = await Rig.start({ port: 7070 }, 1, new TestAccess({}))
  let asked = 0
  const agent = start(rig, async () => {
    asked += 1
    return 'guessed'
  })
  await rig.run(600_000)
  expect(asked).toBeGreaterThan(15)
  expect(asked).toBeLessThan(45)
  expect(rig.lines).toHaveLength(1)
  await close(agent, rig)
})

test('a collector that speaks TLS alone is said to', async () => {
  const rig = new Rig()
  const error = { line: 0, code: 'E_TLS', message: 'this collector speaks TLS alone' }
  await rig.net.listen('127.0.0.1', 7070, (socket: Socket) => {
    const client = new Client(socket)
    client.send({ error })
    socket.end()
  })
  const agent = start(rig, async () => 'any')
  await rig.run(120_000)
  expect(rig.lines).toEqual([
    expect.stringMatching(/refuses: this collector speaks TLS alone \(E_TLS\).*--tls or --ca/),
  ])
  await close(agent, rig)
})

test('a token that cannot be read is said once, and looked for again', async () => {
  const rig = await Rig.start({ port: 7070 }, 1, new TestAccess({ good: 'agent' }))
  let there = false
  const agent = start(rig, async () => {
    if (!there) throw new TidemarkError('E_TOKEN', '/etc/token holds no access token')
    return 'good'
  })
  await rig.run(20_000)
  expect(rig.lines).toEqual([
    expect.stringMatching(/\/etc\/token holds no access token \(E_TOKEN\); trying again/),
  ])
  there = true
  await rig.run(40_000)
  expect(agent.status().state).toBe('connected')
  await close(agent, rig)
})
