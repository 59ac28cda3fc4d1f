import { expect, test } from 'vitest'
import { cpus, NOW_MS, Rig } from '../collector/rig.ts'
import { SimClock } from '../sim/clock.ts'
import { close, connectAgent } from './rig.ts'

const YEAR_2001_MS = Date.UTC(2001, 0, 1)

test('beside a collector that believes it is 2001 an agent keeps its samples, and sends them once the clock is set', async () => {
  const rig = await Rig.start()
  // The collector's clock, and with it the rig's, goes on from there; the agent's is right.
  const right = rig.clock
  const wrong = new WrongClock(right)
  await rig.collector.close()
  Object.assign(rig, { clock: wrong })
  await rig.restart({ port: 7070 })
  Object.assign(rig, { clock: right })
  const agent = connectAgent(rig, {})
  await rig.run(10_000)
  expect(rig.lines.filter((line) => line.includes('E_CLOCK'))).toEqual([
    expect.stringMatching(/^collector: by this collector's clock it is 2001-.* is to keep its messages/),
    expect.stringMatching(
      /the collector refuses: by this collector's clock it is 2001-.*, by the sender's 2026-.*: one of them is wrong .*set the clock that is wrong/,
    ),
  ])
  expect([cpus(rig.log), rig.rejects(), agent.status().acked]).toEqual([[], [], 0])
  const kept = agent.status().queued
  expect(kept).toBeGreaterThan(8)
  wrong.isRight = true
  await rig.run(60_000)
  expect(cpus(rig.log).length).toBeGreaterThanOrEqual(kept + 50)
  expect(rig.log.messages()[0]!.timeMs).toBe(NOW_MS)
  await close(agent, rig)
})

test('a hello that says no time, or one of the past, is welcomed', async () => {
  const rig = await Rig.start()
  for (const time of [undefined, 'soon', 0, NOW_MS + 600_000]) {
    const client = await rig.connect()
    client.send({ hello: 1, agent: `a-${String(time)}`, time })
    await rig.run()
    expect([time, client.answers[0]]).toEqual([time, { welcome: 1, seq: 0 }])
  }
})

/** Another clock of the same course, which shows 2001 until it is set. */
class WrongClock extends SimClock {
  readonly #of: SimClock
  isRight = false

  constructor(of: SimClock) {
    super(YEAR_2001_MS)
    this.#of = of
  }

  override nowMs(): number {
    return this.isRight ? this.#of.nowMs() : this.#of.nowMs() - NOW_MS + YEAR_2001_MS
  }

  override after(...args: Parameters<SimClock['after']>): ReturnType<SimClock['after']> {
    return this.#of.after(...args)
  }
}
