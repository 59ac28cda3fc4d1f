import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LoadSender } from './load.ts'
import { type Running, spawnUp, startUp } from './up.ts'
import { until } from './watch.ts'

/**
 * Two processes with a data directory each and one lake: only its owner writes, is named to the other, is followed by itself
 * at once after a SIGKILL, and by the other when it stayed silent.
 */

let dir: string
let running: Running[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-owner-'))
  running = []
})
afterEach(async () => {
  for (const up of running) await up.end('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

const flags = () => ['--lake-url', join(dir, 'lake'), '--agent-enabled', 'false', '--speed-tick', '1s']

async function start(name: string): Promise<Running> {
  const up = await startUp(join(dir, name), flags())
  running.push(up)
  return up
}

/** What another process says that asks for the lake. */
async function refusal(name: string): Promise<string> {
  const { ended, output } = spawnUp(join(dir, name), flags())
  expect(await ended).toBe(1)
  return output()
}

async function deliver(up: Running, sender: LoadSender, n: number): Promise<void> {
  sender.connect(up.collector.port)
  await until('it is welcome', () => sender.connected)
  const due = sender.acked + n
  sender.send(n)
  await until('all are acknowledged', () => sender.acked === due)
  sender.close()
}

async function analytics(up: Running) {
  const range = `from=${Date.now() - 24 * 3_600_000}&to=${Date.now() + 3_600_000}`
  const answer = await fetch(`${up.serving}/v1/analytics?${range}`)
  return (await answer.json()) as {
    readonly services: readonly { messages: number }[]
    readonly complete: boolean
    readonly gaps?: readonly { partition: number }[]
  }
}

/** Counted of all services. */
async function messages(up: Running): Promise<number> {
  const { services } = await analytics(up)
  return services.reduce((sum, { messages }) => sum + messages, 0)
}

const HOURS_2 = 2 * 3_600_000

test('a second owner is refused by the name of the first, which follows itself at once after a SIGKILL', async () => {
  const first = await start('a')
  const sender = new LoadSender(1, Date.now() - HOURS_2, 1_000)
  await deliver(first, sender, 500)
  const refused = await refusal('b')
  expect(refused).toContain(`owned by tidemark up, process ${first.child.pid}`)
  expect(refused).toContain('--lake-url')
  await first.end('SIGKILL')
  const again = await start('a')
  await deliver(again, sender, 500)
  await until('all count', async () => (await messages(again)) === 1_000, 10_000)
  expect(await again.end('SIGTERM')).toBe(0)
  // Given back in order, it can be taken at once.
  const second = await start('b')
  // The partition of a journal elsewhere is closed: what it held comes with a run.
  await fetch(`${second.serving}/v1/runs`, { method: 'POST' })
  await until('all count', async () => (await messages(second)) === 1_000, 10_000)
})

test('an owner that stands still is followed, and stops when it finds out', async () => {
  const first = await start('a')
  await deliver(first, new LoadSender(1, Date.now() - HOURS_2, 100), 100)
  first.child.kill('SIGSTOP')
  let second: Running | null = null
  await until(
    'its lease has ended',
    async () => {
      second = await start('b').catch(() => null)
      return second !== null
    },
    200_000,
  )
  await deliver(second!, new LoadSender(2, Date.now() - HOURS_2, 50), 50)
  // What the first acknowledged and had not sealed is in its journal alone: that is said, not passed over.
  const { complete, gaps } = await analytics(second!)
  expect([complete, gaps?.map(({ partition }) => partition)]).toEqual([false, [0]])
  const ended = new Promise((resolve) => first.child.once('exit', resolve))
  first.child.kill('SIGCONT')
  expect(await ended).toBe(1)
  expect(first.output()).toContain(
    `owned by tidemark up, process ${(second as unknown as Running).child.pid}`,
  )
  expect(await refusal('a')).toContain('E_LAKE_OWNED')
  expect(await second!.end('SIGTERM')).toBe(0)
  const back = await start('a')
  await until('all of the first count', async () => (await messages(back)) === 100, 20_000)
  // The second did not seal either, and its journal is elsewhere now.
  expect((await analytics(back)).gaps?.map(({ partition }) => partition)).toEqual([1])
  expect(await back.end('SIGTERM')).toBe(0)
  const both = await start('b')
  await until('all count', async () => (await messages(both)) === 150, 20_000)
}, 280_000)
