import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LOST_SAMPLES_MAX } from '../../collector/intake/limits.ts'
import { cpus, message, Rig } from './rig.ts'

test('a hello is welcomed with the highest durable number; acks are numbers from then on', async () => {
  const rig = await Rig.start()
  const client = await rig.hello('a1')
  client.send(message(1, 7), message(2, 9))
  await rig.run()
  expect(client.answers).toEqual([{ welcome: 1, seq: 0 }, { ack: 9 }])
  client.socket.destroy()
  await rig.run()
  expect((await rig.hello('a1')).answers).toEqual([{ welcome: 1, seq: 9 }])
  expect((await rig.hello('a2')).answers).toEqual([{ welcome: 1, seq: 0 }])
  expect(rig.log.messages().map(({ seq }) => seq)).toEqual([7, 9])
})

test('messages may follow the hello at once', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send({ hello: 1, agent: 'a1' }, message(1, 1), message(2, 2))
  client.socket.end()
  await rig.run(0)
  expect(client.answers).toEqual([{ welcome: 1, seq: 0 }, { ack: 2 }])
  expect([cpus(rig.log), client.closed]).toEqual([[1, 2], ''])
})

test.each([
  [{ hello: 2, agent: 'a1' }, 'hello'],
  [{ hello: 1 }, 'agent'],
  [{ hello: 1, agent: '' }, 'agent'],
  [{ hello: 1, agent: 'x'.repeat(129) }, 'agent'],
  [{ hello: 1, agent: 'a\nb' }, 'agent'],
])('%j is refused', async (hello, field) => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send(hello)
  await rig.run()
  expect(client.errors).toMatchObject([{ line: 1, code: 'E_HELLO', field }])
  expect(client.acks).toEqual([1])
})

test('a second hello is refused; the agent stays', async () => {
  const rig = await Rig.start()
  const client = await rig.hello('a1')
  client.send({ hello: 1, agent: 'a2' }, message(1, 1))
  await rig.run()
  expect(client.errors).toMatchObject([{ line: 2, code: 'E_HELLO' }])
  expect([client.acks, rig.log.highestSeq('a1')]).toEqual([[1], 1])
})

test('a message may have a field called hello', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send({ ...message(1), hello: 'world' })
  await rig.run()
  expect([client.codes, client.acks]).toEqual([[], [1]])
})

test('error lines carry the number where it can be read; a refused number is settled', async () => {
  const rig = await Rig.start()
  const client = await rig.hello('a1')
  client.send(message(1, 1), { ...message(2, 2), cpu: null }, { ...message(3), seq: 'x' })
  await rig.run()
  expect(client.errors).toMatchObject([
    { line: 3, seq: 2, code: 'E_GAUGE', field: 'cpu' },
    { line: 4, code: 'E_SEQ', field: 'seq' },
  ])
  expect(client.errors[1]).not.toHaveProperty('seq')
  expect([client.acks.at(-1), rig.log.highestSeq('a1')]).toEqual([2, 1])
  expect(rig.rejects()).toMatchObject([{ agent: 'a1' }, { agent: 'a1' }])
})

test('a refused number is not acknowledged before what was sent ahead of it', async () => {
  const rig = await Rig.start()
  const client = await rig.hello('a1')
  rig.log.held = true
  client.send(message(1, 1), { ...message(2, 2), cpu: null })
  await rig.run()
  expect([client.codes, client.acks]).toEqual([['E_GAUGE'], []])
  rig.log.release()
  await rig.run()
  expect(client.acks).toEqual([2])
})

test('repeats are settled and not counted again', async () => {
  const rig = await Rig.start()
  const client = await rig.hello('a1')
  client.send(message(1, 1), message(2, 2))
  await rig.run()
  const again = await rig.hello('a1')
  again.send(message(1, 1), message(2, 2), message(3, 3))
  await rig.run()
  expect([cpus(rig.log), again.acks]).toEqual([[1, 2, 3], [3]])
  expect(rig.collector.status()).toMatchObject({ accepted: 3, repeats: 2 })
})

test('repeats at or below the welcome are acknowledged too, for senders that do not go by it', async () => {
  const rig = await Rig.start()
  const client = await rig.hello('a1')
  client.send(message(1, 1), message(2, 2), message(3, 3))
  await rig.run()
  const again = await rig.hello('a1')
  again.send(message(1, 1), message(2, 2))
  await rig.run()
  expect(again.answers).toEqual([{ welcome: 1, seq: 3 }, { ack: 3 }])
  again.send(message(3, 3))
  await rig.run()
  expect(again.acks).toEqual([3, 3])
  again.send(message(3, 3), message(4, 4))
  await rig.run()
  expect([again.acks.at(-1), cpus(rig.log)]).toEqual([4, [1, 2, 3, 4]])
})

test('losses are counted once the hello that tells them is welcomed', async () => {
  const rig = await Rig.start()
  const first = await rig.hello('a')
  rig.log.held = true
  first.send({ ...message(1), seq: 1 })
  await rig.run()
  const impatient = await rig.connect()
  impatient.send({ hello: 1, agent: 'a', lost: 7 })
  await rig.run()
  impatient.socket.destroy()
  await rig.run()
  expect([impatient.answers, rig.collector.status().lostByAgents]).toEqual([[], 0])
  rig.log.release()
  const last = await rig.connect()
  last.send({ hello: 1, agent: 'a', lost: 7 })
  await rig.run()
  expect([last.answers[0], rig.collector.status().lostByAgents]).toEqual([{ welcome: 1, seq: 1 }, 7])
})

test.each([
  [2 ** 53 - 1, LOST_SAMPLES_MAX],
  [1e300, LOST_SAMPLES_MAX],
  [LOST_SAMPLES_MAX, LOST_SAMPLES_MAX],
  [1.5, 0],
  [-1, 0],
  ['7', 0],
])('losses of %j count as %i: a hello is believed so far and no further', async (lost, counted) => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send({ hello: 1, agent: 'a', lost })
  await rig.run()
  expect([client.answers, rig.collector.status().lostByAgents]).toEqual([[{ welcome: 1, seq: 0 }], counted])
})

test('a repeat of what is in flight is acknowledged only when that copy is durable', async () => {
  const rig = await Rig.start()
  rig.log.held = true
  const first = await rig.hello('a1')
  first.send(message(1, 1))
  await rig.run()
  first.socket.destroy()
  await rig.run()
  const second = await rig.hello('a1')
  second.send(message(1, 1))
  await rig.run(5_000)
  expect(second.answers).toEqual([{ welcome: 1, seq: 0 }])
  rig.log.release()
  await rig.run()
  expect([second.acks, cpus(rig.log)]).toEqual([[1], [1]])
})

test('a repeat whose first copy is lost is not acknowledged either', async () => {
  const rig = await Rig.start()
  rig.log.held = true
  const client = await rig.hello('a1')
  client.send(message(1, 1))
  await rig.run()
  client.send(message(1, 1))
  await rig.run()
  rig.log.failing = true
  rig.log.release()
  await rig.run()
  expect([client.acks, client.closed]).toEqual([[], 'connection reset'])
  rig.log.failing = false
  const again = await rig.hello('a1')
  again.send(message(1, 1))
  await rig.run()
  expect([again.acks, cpus(rig.log)]).toEqual([[1], [1]])
})

test('what a log refused can be sent again, also after a takeover', async () => {
  const rig = await Rig.start()
  await rig.hello('a1')
  const client = await rig.hello('a1')
  rig.log.failing = true
  client.send(message(1, 1))
  await rig.run()
  rig.log.failing = false
  const again = await rig.hello('a1')
  again.send(message(1, 1))
  await rig.run()
  expect([again.acks, cpus(rig.log)]).toEqual([[1], [1]])
})

test('a newer hello settles what the older connection delivered, closes it, and is welcomed with that', async () => {
  const rig = await Rig.start()
  const older = await rig.hello('a1')
  rig.log.held = true
  older.send(message(1, 1), message(2, 2))
  await rig.run(0)
  const newer = await rig.connect()
  newer.send({ hello: 1, agent: 'a1' }, message(2, 2), message(3, 3))
  await rig.run(0)
  expect([newer.answers, older.ended]).toEqual([[], false])
  rig.log.release()
  await rig.run()
  expect([older.acks, older.codes, older.closed]).toEqual([[2], [], ''])
  expect([newer.answers[0], newer.acks.at(-1)]).toEqual([{ welcome: 1, seq: 2 }, 3])
  expect(cpus(rig.log)).toEqual([1, 2, 3])
})

test('an older connection that is dead does not hold up the newer', async () => {
  const rig = await Rig.start()
  const older = await rig.hello('a1')
  older.socket.pause()
  const newer = await rig.hello('a1')
  newer.send(message(1, 1))
  await rig.run()
  expect(newer.acks).toEqual([1])
  await rig.run(10_000)
  expect([older.closed, rig.collector.status().connections]).toEqual(['connection reset', 1])
})

test('two that take an id from each other within a minute are told', async () => {
  const rig = await Rig.start()
  const a = await rig.hello('a1')
  const b = await rig.hello('a1')
  expect([a.ended, a.codes, b.codes]).toEqual([true, [], []])
  const c = await rig.hello('a1')
  expect([b.ended, b.codes, c.codes]).toEqual([true, ['E_AGENT_TWICE'], ['E_AGENT_TWICE']])
  await rig.run(61_000)
  const d = await rig.hello('a1')
  expect([c.ended, d.codes]).toEqual([true, []])
})

test('however a sender breaks off and repeats itself, each number counts once', async () => {
  const step = fc.oneof(
    fc.record({ send: fc.integer({ min: 1, max: 8 }), back: fc.nat(4) }),
    fc.constantFrom('break', 'takeover', 'wait', 'hold', 'release', 'restart' as const),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(1_000), async (steps, seed) => {
      const rig = await Rig.start({ blockMessages: 3 }, seed)
      let client = await rig.hello('a1')
      let highest = 0
      let acked = 0
      const look = () => {
        for (const ack of client.acks) acked = Math.max(acked, ack)
        const stored = rig.log.messages().map(({ seq }) => seq!)
        expect(stored).toEqual(stored.map((_, i) => i + 1))
        expect(acked).toBeLessThanOrEqual(stored.length)
      }
      /** Comes back as an agent does: on from the welcome. */
      const resume = async () => {
        client = await rig.hello('a1')
        const welcome = client.answers[0]?.seq as number | undefined
        if (welcome === undefined) return
        expect(welcome).toBeGreaterThanOrEqual(acked)
        for (let seq = welcome + 1; seq <= highest; seq++) client.send(message(seq, seq))
      }
      for (const one of steps) {
        if (typeof one === 'object') {
          const welcomed = client.answers.length > 0 && client.closed === null
          if (!welcomed) await resume()
          if (client.answers.length === 0) continue
          for (let seq = Math.max(1, highest + 1 - one.back); seq <= highest + one.send; seq++)
            client.send(message(seq, seq))
          highest += one.send
          await rig.run(0)
        } else if (one === 'break') client.socket.destroy()
        else if (one === 'takeover') await resume()
        else if (one === 'hold') rig.log.held = true
        else if (one === 'release') rig.log.release()
        else if (one === 'restart') {
          rig.log.release()
          await rig.collector.close()
          await rig.restart({ blockMessages: 3 })
          await resume()
        } else await rig.run()
        look()
      }
      rig.log.release()
      await rig.run()
      await resume()
      await rig.run()
      look()
      expect(rig.log.messages()).toHaveLength(highest)
      await rig.collector.close()
    }),
    { numRuns: 60 },
  )
})
