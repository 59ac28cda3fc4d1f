import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasBucketServer } from '../bucket-server.ts'
import { LoadSender } from '../load.ts'
import { needs } from '../needs.ts'
import { sparkHome, sparkPackages, startCluster } from '../spark-cluster.ts'
import { runCommand } from '../up.ts'
import { lastingPort, until } from '../watch.ts'
import { kafkaFound, startBrokers } from './brokers.ts'
import { makeLogin } from './login.ts'
import { counted, expectedOf, processesOn, temporaryBucket, temporaryDir } from './processes.ts'
import { startProxy } from './proxy.ts'

/**
 * Each layer is a process of its own, and several of most: they meet in a topic of a real broker and in one lake. Agents change
 * collectors in the middle of what is unacknowledged, workers are killed; every acknowledged message counts once, whoever answers.
 */

const SENDERS = 3
const EACH = 8_000
const HOUR_MS = 3_600_000

const home = sparkHome()
const packages = sparkPackages()
const CASES = [
  ['a directory', 'workers'],
  ['a bucket', 'workers'],
  ['a bucket', 'Spark'],
].filter(
  ([lake, engine]) =>
    (lake !== 'a bucket' || needs('versitygw', hasBucketServer)) &&
    (engine !== 'Spark' || needs('Spark with its packages', home !== null && packages !== null)),
) as [string, string][]

test.runIf(kafkaFound()).each(CASES)(
  'layers in processes of their own count every message once, whoever is killed, with the lake in %s and ticks by %s',
  async (lake, engine) => {
    const onSpark = engine === 'Spark'
    await using own = await temporaryDir()
    // Whoever asks for ticks by Spark has brokers that ask for a password over TLS.
    const login = onSpark ? await makeLogin(own.dir) : null
    // Of what is encrypted it could not tell which answer is which.
    await using proxy = onSpark ? null : await startProxy()
    const proxied = proxy && { advertised: proxy.port, listening: proxy.reach }
    await using brokers = await startBrokers(1, proxied, login)
    await using bucket = lake === 'a bucket' ? await temporaryBucket() : null
    await using cluster = onSpark ? await startCluster(home!, own.dir) : null
    await using processes = await processesOn(login === null ? brokers.addresses : [brokers.secured!.tls], {
      ...(bucket !== null && { lake: bucket.flags }),
      ...(login !== null && { login }),
    })
    const start = processes.start.bind(processes)
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
    const job = cluster
      ? [
          ...['--speed-engine', 'spark', '--spark-home', home!, '--spark-master', cluster.master],
          ...['--spark-jars', packages!],
        ]
      : []
    const speed = (n: number) => start(`speed-${n}`, 'speed', '--speed-tick', '1s', ...job)
    const writer = (n: number) => start(`writer-${n}`, 'lake-writer')
    const [first, firstWriter] = await Promise.all([speed(1), writer(1), writer(2)])
    if (!onSpark) await speed(2)
    const serving = [await lastingPort(Math.random), await lastingPort(Math.random)]
    const nodes = await Promise.all(
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
    // What is under way is in the topic although nobody said so; the other collector knows nothing of it.
    const kill = () => collectors[0]!.child.kill('SIGKILL')
    if (proxy) proxy.swallow(1, kill)
    for (const sender of senders) sender.send(100)
    if (proxy) await until('the broker has said so, and the collector has not', () => proxy.swallowed() === 1)
    else kill()
    await connect(1)
    for (const sender of senders) sender.send(EACH / 2)
    first.child.kill('SIGKILL')
    await collector(0)
    await until('half is acknowledged', () => senders.every(({ acked }) => acked > EACH / 4))
    firstWriter.child.kill('SIGKILL')
    if (bucket !== null) {
      await bucket.server.kill()
      await bucket.server.start()
    }
    await connect(0)
    for (const sender of senders) sender.send(EACH)
    await until('all are acknowledged', () => senders.every(({ done }) => done), 120_000)
    const [last] = await Promise.all([speed(1), writer(1)])

    const total = SENDERS * EACH
    const expected = expectedOf(senders, EACH, startMs)
    const urls = serving.map((port) => `http://127.0.0.1:${port}`)
    const check = async (what: string) => {
      for (const url of urls)
        await until(
          what,
          async () => {
            const found = await counted(url, startMs)
            if (found.messages > total) throw new Error(`${found.messages} of ${total} are counted`)
            return found.messages === total && found.complete && found.cpu === expected.cpu
          },
          onSpark ? 240_000 : 60_000,
        )
    }
    await check('every message counts once in real time')
    if (onSpark) {
      const figure = async (name: string) =>
        Number(new RegExp(`^tidemark_speed_${name}_total (\\d+)$`, 'm').exec(await last.metrics())?.[1])
      await until('the job tells of its batches', async () => (await figure('records_given')) > 0)
      expect(await figure('blocks_asked')).toBe(0)
    }
    for (const full of [[], ['--full']]) {
      const run = await runCommand([
        'batch',
        '--once',
        ...full,
        '--data',
        join(processes.dir, 'batch'),
        ...processes.shared,
      ])
      expect([run.code, run.out]).toEqual([0, expect.stringContaining('published')])
    }
    await check('every message counts once from the batch')
    expect(await counted(urls[0]!, startMs)).toEqual(expected)
    const asked = /^tidemark_requests_list_requests_total (\d+)$/m.exec(await nodes[0]!.metrics())?.[1]
    expect(Number(asked ?? 0) > 0).toBe(bucket !== null)
  },
  600_000,
)
