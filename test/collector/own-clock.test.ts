import { expect, test } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../schemas/time.ts'
import { cpus, message, NOW_MS, Rig } from './rig.ts'

const dated = (cpu: number, seq: number, timeMs: number) => ({ ...message(cpu, seq), time_stamp: timeMs })

/** A collector whose log was written until now, and a sender on it that tells its time or not. */
async function started(hello: object = {}) {
  const rig = await Rig.start()
  rig.log.leastMs = NOW_MS
  const connect = async (time: object = hello) => {
    const client = await rig.connect()
    client.send({ hello: 1, agent: 'a', ...time })
    await rig.run(1)
    return client
  }
  return { rig, connect, client: await connect() }
}

for (const hello of [{ time: NOW_MS }, {}])
  test(`a clock that goes back by hours loses nothing of a sender that says ${JSON.stringify(hello)}`, async () => {
    const { rig, connect, client } = await started(hello)
    client.send(dated(1, 1, NOW_MS))
    await rig.run()
    rig.clock.step(-3 * HOUR_MS)
    client.send(dated(2, 2, NOW_MS + 1_000), dated(3, 3, NOW_MS + 2_000))
    await rig.run()
    expect([client.acks, client.codes, client.ended, rig.rejects()]).toEqual([[1], ['E_CLOCK'], true, []])
    expect(client.errors[0]!.message).toMatch(/the clock of the collector went back, .*10 minutes ahead/)
    expect(rig.lines).toEqual([
      expect.stringMatching(/clock of the collector went back.* is to keep its messages.*E_CLOCK/),
    ])
    expect(rig.collector.status()).toMatchObject({
      state: 'waiting',
      reason: expect.stringMatching(
        /^the clock of this machine stands at least 1\d{4} s before what it showed/,
      ),
      clockRefusals: 1,
      refused: 0,
    })
    rig.clock.step(3 * HOUR_MS)
    const again = await connect({})
    expect(again.answers).toEqual([{ welcome: 1, seq: 1 }])
    again.send(dated(2, 2, NOW_MS + 1_000), dated(3, 3, NOW_MS + 2_000))
    await rig.run()
    expect([cpus(rig.log), rig.collector.status().state]).toEqual([[1, 2, 3], 'ok'])
  })

test('a clock that was set back rightly: who tells the time it is and dates a message ahead of it is refused that one alone', async () => {
  const { rig, connect, client } = await started()
  rig.clock.step(-3 * HOUR_MS)
  client.send(dated(1, 1, NOW_MS))
  await rig.run()
  expect(client.codes).toEqual(['E_CLOCK'])
  const told = await connect({ time: NOW_MS - 3 * HOUR_MS })
  told.send(dated(1, 1, NOW_MS), message(2, 2))
  await rig.run()
  expect([told.codes, told.acks.at(-1), cpus(rig.log)]).toEqual([['E_TIME'], 2, [2]])
})

test('a message ahead of a clock that did not go back is refused, and so is one without a number', async () => {
  const { rig, client } = await started()
  client.send(dated(1, 1, NOW_MS + HOUR_MS))
  await rig.run()
  rig.clock.step(-3 * HOUR_MS)
  const other = await rig.connect()
  other.send({ ...message(2), time_stamp: NOW_MS })
  await rig.run()
  expect([client.codes, other.codes, rig.rejects().length]).toEqual([['E_TIME'], ['E_TIME'], 2])
  expect(rig.collector.status()).toMatchObject({ state: 'ok', clockRefusals: 0 })
})

test('a clock that was never set is not believed, whatever the log holds', async () => {
  const { rig, connect } = await started()
  rig.log.leastMs = 0
  rig.clock.step(Date.UTC(1999, 0) - NOW_MS)
  const client = await connect()
  client.send(message(1, 1))
  await rig.run()
  expect([client.codes, client.acks, rig.rejects()]).toEqual([['E_CLOCK'], [], []])
  rig.clock.step(NOW_MS - Date.UTC(1999, 0))
  await rig.run(3 * MINUTE_MS)
  expect(rig.collector.status()).toMatchObject({ state: 'ok', reason: null })
})

test('two clocks that were behind alike: the sender whose is set first loses nothing', async () => {
  const { rig, connect } = await started()
  const startMs = NOW_MS - 3 * HOUR_MS
  rig.clock.step(-3 * HOUR_MS)
  const early = await connect({ time: startMs })
  early.send(message(1, 1))
  await rig.run(MINUTE_MS)
  // Its clock is set.
  early.send(dated(2, 2, NOW_MS + MINUTE_MS))
  await rig.run()
  expect([early.acks, early.codes, early.ended]).toEqual([[1], ['E_CLOCK'], true])
  const again = await connect({ time: NOW_MS + MINUTE_MS })
  expect([again.codes, rig.rejects()]).toEqual([['E_CLOCK'], []])
})

test('a sender with one message that is dated wrongly does not come back with it for ever', async () => {
  const { rig, connect } = await started()
  rig.clock.step(-3 * HOUR_MS)
  const agreeing = () => connect({ time: rig.clock.nowMs() })
  const client = await agreeing()
  await rig.run(MINUTE_MS)
  client.send(dated(1, 1, NOW_MS))
  await rig.run()
  const again = await agreeing()
  again.send(dated(1, 1, NOW_MS), message(2, 2))
  await rig.run()
  expect([client.codes, again.codes, again.acks.at(-1)]).toEqual([['E_CLOCK'], ['E_TIME'], 2])
})

test('a sender whose own clock is wrong does not speak for what the log was led to believe', async () => {
  const { rig, connect } = await started()
  // The clock was months ahead for a while.
  rig.log.leastMs = NOW_MS + 2_000 * HOUR_MS
  const client = await connect({ time: NOW_MS + HOUR_MS })
  expect(client.codes).toEqual(['E_CLOCK'])
  expect(rig.collector.status()).toMatchObject({ state: 'ok', clockRefusals: 1 })
})

test('a sender that tells no time is not held up for ever by a clock that was ahead: after an hour one message is refused alone', async () => {
  const { rig, connect } = await started()
  rig.log.leastMs = NOW_MS + 365 * 24 * HOUR_MS
  const again = async () => {
    const client = await connect({})
    client.send(dated(1, 1, NOW_MS + 24 * HOUR_MS), message(2, 2))
    await rig.run()
    return client
  }
  expect((await again()).codes).toEqual(['E_CLOCK'])
  await rig.run(HOUR_MS / 2)
  expect((await again()).codes).toEqual(['E_CLOCK'])
  await rig.run(HOUR_MS / 2)
  const last = await again()
  expect([last.codes, last.acks.at(-1), cpus(rig.log)]).toEqual([['E_TIME'], 2, [2]])
})
