import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LoadSender, loadMessage } from '../load.ts'
import { environment, runCommand } from '../up.ts'
import { lastingPort, until } from '../watch.ts'
import { kafkaFound, startBrokers } from './brokers.ts'

/**
 * Each layer is a process of its own, and several of most: they meet in a topic of a real broker and in one lake. Agents change
 * collectors in the middle of what is unacknowledged, workers are killed; every acknowledged message counts once, whoever answers.
 */

const ENTRY = fileURLToPath(new URL('../../../cli/entry.js', import.meta.url))
const SENDERS = 3
const EACH = 8_000
const HOUR_MS = 3_600_000

let dir: string
let shared: string[]
let children: ChildProcess[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-layers-'))
  children = []
})
afterEach(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

/** A process of one layer, as soon as it says that it is up. */
async function start(name: string, ...args: string[]): Promise<ChildProcess> {
  const [layer, ...flags] = args as [string, ...string[]]
  const own = ['--data', join(dir, name), '--health-listen', '127.0.0.1:0']
  const child = spawn(process.execPath, [ENTRY, layer, ...flags, ...own, ...shared], { env: environment() })
  children.push(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (printed += bytes))
  await until(`${name} is up`, () => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${printed}`)
    return printed.includes('is up; Ctrl-C')
  })
  return child
}

async function messages(
  serving: string,
  startMs: number,
): Promise<{ messages: number; complete: boolean; cpu: number }> {
  const range = `from=${startMs - 24 * HOUR_MS}&to=${startMs + 24 * HOUR_MS}`
  const answer = await fetch(`${serving}/v1/analytics?${range}`)
  const { services, complete } = (await answer.json()) as {
    services: { messages: number; cpu: { total: number } }[]
    complete: boolean
  }
  const sum = (of: (one: (typeof services)[number]) => number) =>
    services.reduce((all, one) => all + of(one), 0)
  return { messages: sum((one) => one.messages), complete, cpu: sum((one) => one.cpu.total) }
}

test.runIf(kafkaFound())(
  'layers in processes of their own count every message once, whoever is killed',
  async () => {
    await using brokers = await startBrokers(1)
    shared = [
      ...['--log-url', `kafka://${brokers.addresses[0]}/tidemark`, '--log-replication', '1'],
      ...['--lake-url', join(dir, 'lake')],
    ]
    const ports = [await lastingPort(Math.random), await lastingPort(Math.random)] as const
    const collector = (n: 0 | 1) =>
      start(
        `collector-${n}`,
        'collector',
        '--collector-listen',
        `127.0.0.1:${ports[n]}`,
        '--log-partitions',
        '2',
      )
    const collectors = [await collector(0), await collector(1)]
    const speed = (n: number) => start(`speed-${n}`, 'speed', '--speed-tick', '1s')
    const writer = (n: number) => start(`writer-${n}`, 'lake-writer')
    const [first, firstWriter] = await Promise.all([speed(1), writer(1), speed(2), writer(2)])
    const serving = [await lastingPort(Math.random), await lastingPort(Math.random)]
    await Promise.all(
      serving.map((port, n) =>
        start(`serve-${n}`, 'serve', '--serving-listen', `127.0.0.1:${port}`, '--speed-tick', '1s'),
      ),
    )

    const startMs = Date.now() - 12 * HOUR_MS
    const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, EACH))
    const connect = async (n: 0 | 1) => {
      for (const sender of senders) sender.connect(ports[n])
      await until('all are welcome', () => senders.every(({ connected }) => connected))
    }
    await connect(0)
    for (const sender of senders) sender.send(EACH / 4)
    await until('some are acknowledged', () => senders.every(({ acked }) => acked > 200))
    for (const sender of senders) sender.send(100)
    // What is under way may be in the topic although nobody said so; the other collector knows nothing of it.
    collectors[0]!.kill('SIGKILL')
    await connect(1)
    for (const sender of senders) sender.send(EACH / 2)
    first.kill('SIGKILL')
    await collector(0)
    await until('half is acknowledged', () => senders.every(({ acked }) => acked > EACH / 4))
    firstWriter.kill('SIGKILL')
    await connect(0)
    for (const sender of senders) sender.send(EACH)
    await until('all are acknowledged', () => senders.every(({ done }) => done), 120_000)
    await Promise.all([speed(1), writer(1)])

    const total = SENDERS * EACH
    let cpu = 0
    for (const { sender } of senders)
      for (let seq = 1; seq <= EACH; seq++) cpu += loadMessage(startMs, sender, seq).gauges[0]!
    const expected = { messages: total, complete: true, cpu }
    const urls = serving.map((port) => `http://127.0.0.1:${port}`)
    const check = async (what: string) => {
      for (const url of urls)
        await until(what, async () => {
          const found = await messages(url, startMs)
          if (found.messages > total) throw new Error(`${found.messages} of ${total} are counted`)
          return found.messages === total && found.complete && found.cpu === cpu
        })
    }
    await check('every message counts once in real time')
    for (const full of [[], ['--full']]) {
      const run = await runCommand(['batch', '--once', ...full, '--data', join(dir, 'batch'), ...shared])
      expect([run.code, run.out]).toEqual([0, expect.stringContaining('published')])
    }
    await check('every message counts once from the batch')
    expect(await messages(urls[0]!, startMs)).toEqual(expected)
  },
  280_000,
)
