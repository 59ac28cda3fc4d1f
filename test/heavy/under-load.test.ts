import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { HOUR_MS } from '../../schemas/time.ts'
import { LoadSender } from './load.ts'
import { startUp } from './up.ts'
import { ackMs, counted, until } from './watch.ts'

const BURST_MS = 5_000
const SENDERS = 4
/** Messages of one sender that wait for their acknowledgement: enough to keep the collector busy all the time. */
const IN_FLIGHT = 4_000
/** Ceilings that hold on a machine that is busy with other things as well. */
const QUERY_P99_MS_MAX = 500
const VISIBLE_MS_MAX = 10_000

test('in a burst of messages questions are answered quickly, and what arrives is soon visible', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-under-load-'))
  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false'])
  // Their times advance faster than the clock, and must not overtake it.
  const startMs = Date.now() - 12 * HOUR_MS
  const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, 1_000_000))
  const stats = `${up.serving}/v1/services/service-1/stats`
  try {
    for (const sender of senders) sender.connect(up.collector.port)
    await until('all are welcome', () => senders.every(({ connected }) => connected))
    const untilMs = Date.now() + BURST_MS
    const burst = (async () => {
      while (Date.now() < untilMs) {
        for (const sender of senders) sender.send(IN_FLIGHT - sender.inFlight)
        await wait(5)
      }
    })()
    await until('the first are counted', async () => (await fetch(stats)).ok)
    const answeredMs: number[] = []
    const seen = visibleMs()
    while (Date.now() < untilMs) {
      const startedMs = performance.now()
      const answer = await fetch(stats)
      await answer.arrayBuffer()
      answeredMs.push(performance.now() - startedMs)
      expect(answer.status).toBe(200)
      await wait(10)
    }
    await burst
    answeredMs.sort((a, b) => a - b)
    const [acked, p99] = [
      senders.reduce((sum, sender) => sum + sender.acked, 0),
      answeredMs[Math.ceil(0.99 * answeredMs.length) - 1]!,
    ]
    console.log(
      `under load: ${acked} messages, ${answeredMs.length} answers, p99 ${Math.round(p99)} ms, visible after ${Math.round(await seen)} ms`,
    )
    expect(senders.flatMap(({ errors }) => errors)).toEqual([])
    expect(acked).toBeGreaterThan(IN_FLIGHT * SENDERS)
    expect(p99).toBeLessThan(QUERY_P99_MS_MAX)
    expect(await seen).toBeLessThan(VISIBLE_MS_MAX)
  } finally {
    for (const sender of senders) sender.close()
    await up.end('SIGTERM')
    await rm(dir, { recursive: true, force: true })
  }

  /** From its acknowledgement until a message of a new service is counted. */
  async function visibleMs(): Promise<number> {
    await ackMs(up.collector.port, 'newcomer')
    const startedMs = performance.now()
    await until('it is visible', async () => (await counted(up, 'newcomer')) === 1, 2 * VISIBLE_MS_MAX)
    return performance.now() - startedMs
  }
})
