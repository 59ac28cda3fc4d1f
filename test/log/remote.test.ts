import { expect, test } from 'vitest'
import { remoteLog } from '../../log/remote/reader.ts'
import { serveLog } from '../../log/remote/serve.ts'
import { Calls } from '../../schemas/calls.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { channelPair } from '../sim/channel.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { drain } from '../sim/incarnation.ts'
import { block, contents, openOn, START_MS } from './journal/samples.ts'

/** A journal, and the same as another thread sees it. */
async function both() {
  const disk = new SimDisk(1)
  const log = await openOn(disk, { clock: new SimClock(START_MS) })
  const [here, there] = channelPair()
  return { disk, log, remote: remoteLog(serveLog(log, new Calls(there)), new Calls(here)) }
}

test('a reader in another thread reads what the journal holds, blocks and gaps', async () => {
  const { log, remote } = await both()
  for (let i = 1; i <= 40; i++) await log.append(0, block('a', i, 1 + (i % 3)))
  await drain()
  expect(remote.end(0)).toBe(39)
  expect(await contents(remote)).toEqual(await contents(log))
  const [one, other] = await Promise.all([log.read(0, 4, 3), remote.read(0, 4, 3)])
  expect(other.blocks.map(({ payload }) => [...payload!])).toEqual(
    one.blocks.map(({ payload }) => [...payload!]),
  )
  expect([other.to, other.toMs]).toEqual([one.to, one.toMs])
})

test('it is told that the log grew before the sender is told that its block is durable', async () => {
  const log = await openOn(new SimDisk(1))
  const order: string[] = []
  serveLog(log, new Calls({ post: () => order.push('told'), receive: () => {} }))
  await log.append(0, block('a', 1)).then(() => order.push('acknowledged'))
  expect(order).toEqual(['told', 'acknowledged'])
})

test('trimming and what the lake covers reach the journal, errors come back as such', async () => {
  const { log, remote } = await both()
  for (let i = 1; i <= 40; i++) await log.append(0, block('a', i))
  const before = log.uncoveredBytes()
  remote.covered({ 0: 20 })
  await remote.trim({ 0: 20 })
  await drain()
  expect(remote.start(0)).toBe(log.start(0))
  expect(log.uncoveredBytes()).toBeLessThan(before)
  await expect(remote.read(0, -1, 1)).rejects.toMatchObject({ code: 'E_TRIMMED' })
})

test('trouble of the disk is seen in the other thread', async () => {
  const { disk, log, remote } = await both()
  disk.fault = () => {
    throw new TidemarkError('E_DISK_FULL', 'no space left')
  }
  void log.append(0, block('a', 1)).catch(() => {})
  await drain()
  expect(remote.state()).toMatchObject({ state: 'disk_full', reason: expect.stringMatching(/no space/) })
})

test('who waits for a thread that ended is told so', async () => {
  const [here] = channelPair(() => false)
  const calls = new Calls(here)
  const waiting = expect(calls.call('anything')).rejects.toThrow('gone')
  calls.end(new Error('gone'))
  await waiting
  await expect(calls.call('more')).rejects.toThrow('gone')
})
