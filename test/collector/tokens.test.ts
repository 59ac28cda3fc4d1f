import { expect, test } from 'vitest'
import { ENDING_MS_MAX, HELLO_MS_MAX } from '../../collector/ndjson/line-limits.ts'
import { TestAccess } from '../sim/access.ts'
import { cpus, message, Rig } from './rig.ts'

async function guarded() {
  const access = new TestAccess({ sends: 'agent', all: 'admin', looks: 'viewer' })
  return { access, rig: await Rig.start({}, 1, access) }
}

test('with a token of agent or admin in the hello everything goes as without', async () => {
  const { rig } = await guarded()
  for (const [i, token] of ['sends', 'all'].entries()) {
    const client = await rig.connect()
    client.send({ hello: 1, agent: token, token }, message(i, 1))
    await rig.run()
    expect([client.codes, client.acks.at(-1)]).toEqual([[], 1])
  }
  expect(cpus(rig.log)).toEqual([0, 1])
})

test('a hello with a token alone is a line, and the connection goes on without numbers', async () => {
  const { rig } = await guarded()
  const client = await rig.connect()
  client.send({ hello: 1, token: 'sends' }, message(1), { x: 1 }, message(2))
  client.socket.end()
  await rig.run()
  expect([client.acks.at(-1), client.errors[0]!.line, cpus(rig.log), client.closed]).toEqual([
    4,
    3,
    [1, 2],
    '',
  ])
})

test('without a valid token one line says so, and nothing is stored, kept or counted', async () => {
  const firsts = [
    message(1),
    { hello: 1, agent: 'a' },
    { hello: 1, agent: 'a', token: 'guessed' },
    { hello: 1, agent: 'a', token: 'looks' },
    { hello: 1, token: 7 },
    { hello: 2, agent: 'a', token: 'sends' },
    { long: 'x'.repeat(70_000) },
  ]
  for (const first of firsts) {
    const { rig } = await guarded()
    const client = await rig.connect()
    client.send(first, message(2), { hello: 1, agent: 'a', token: 'sends' }, message(3))
    await rig.run()
    expect([client.codes, client.acks, client.closed]).toEqual([['E_TOKEN'], [], ''])
    expect([rig.log.blocks, rig.rejects(), rig.collector.status().refused]).toEqual([[], [], 0])
  }
})

test('a last line without newline is no way in', async () => {
  const { rig } = await guarded()
  const client = await rig.connect()
  client.socket.write(JSON.stringify(message(1)))
  client.socket.end()
  await rig.run()
  expect([client.codes, rig.log.blocks]).toEqual([['E_TOKEN'], []])
})

test('whoever says nothing, or trickles, is closed soon', async () => {
  const { rig } = await guarded()
  const silent = await rig.connect()
  const slow = await rig.connect()
  for (let i = 0; i < 5; i++) {
    slow.socket.write('{')
    await rig.run(HELLO_MS_MAX / 5)
  }
  expect([silent.codes, slow.codes]).toEqual([['E_TOKEN'], ['E_TOKEN']])
  expect(rig.collector.status().connections).toBe(0)
})

test('whoever has said its hello in time stays', async () => {
  const { rig } = await guarded()
  const client = await rig.connect()
  client.send({ hello: 1, agent: 'a', token: 'sends' })
  await rig.run(2 * HELLO_MS_MAX)
  client.send(message(1, 1))
  await rig.run()
  expect(client.acks).toEqual([1])
})

test('when a token is revoked its connections are told and closed, others go on', async () => {
  const { rig, access } = await guarded()
  const one = await rig.connect()
  one.send({ hello: 1, agent: 'one', token: 'sends' }, message(1, 1))
  const other = await rig.connect()
  other.send({ hello: 1, agent: 'other', token: 'all' })
  await rig.run()
  access.revoke('sends')
  one.send(message(2, 2))
  other.send(message(3, 1))
  await rig.run(ENDING_MS_MAX)
  expect([one.codes, one.closed, other.codes, other.acks]).toEqual([['E_TOKEN'], '', [], [1]])
  expect(cpus(rig.log)).toEqual([1, 3])
})

test('where no token is needed one in the hello is not looked at', async () => {
  const { rig, access } = await guarded()
  access.needed = false
  const client = await rig.connect()
  client.send({ hello: 1, agent: 'a', token: 'anything' }, message(1, 1))
  await rig.run()
  access.revoke('sends')
  await rig.run()
  expect([client.codes, client.acks]).toEqual([[], [1]])
})

test('tokens do not get into rejects', async () => {
  const rig = await Rig.start()
  const secret = '0123456789abcdef'.repeat(3)
  const token = `tmk_1a2b3c4d_${secret}`
  const client = await rig.connect()
  client.socket.write(`{"hello":1,"token":"${token}"\n`)
  client.send({ hello: 1, agent: 'a', token })
  client.socket.write(Buffer.concat([Buffer.from(token), Buffer.from([0xff, 0x0a])]))
  await rig.run()
  const kept = rig.rejects()
  expect(kept.map(({ code }) => code)).toEqual(['E_JSON', 'E_HELLO', 'E_UTF8'])
  expect(kept[1]!.raw).toContain('tmk_1a2b3c4d_...')
  const raw = Buffer.from(kept[2]!.raw_base64 as string, 'base64').toString('latin1')
  expect(`${JSON.stringify(kept)} ${raw}`).not.toContain('0123456789')
})

test('a peer that speaks TLS is told that the collector does not', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.socket.write(Buffer.from([0x16, 0x03, 0x01, 0x0a, 0x0a]))
  await rig.run()
  expect([client.codes, client.closed, rig.rejects()]).toEqual([['E_TLS'], '', []])
})

test('nothing is left behind', async () => {
  const { rig, access } = await guarded()
  await rig.connect()
  const closed = rig.collector.close()
  await rig.run(1_000)
  await closed
  expect([rig.clock.pending, access.listeners]).toEqual([0, 0])
})
