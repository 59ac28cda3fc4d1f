import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { counted, expectedOf } from '../kafka/processes.ts'
import { LoadSender } from '../load.ts'
import { until } from '../watch.ts'
import { imagesFound, podman, Stack } from './stack.ts'

/** The profile three-brokers of docker-compose.yml: a broker is killed that leads a partition, and the log goes on without it. */

const SENDERS = 6
const EACH = 2_000
const DAY_MS = 86_400_000

test.runIf(await imagesFound())(
  'three brokers in containers: one is killed, all goes on, and every message counts once',
  async () => {
    await using stack = await Stack.start({
      profile: 'three-brokers',
      services: ['broker-1', 'broker-2', 'broker-3', 'collector-1', 'speed-1', 'web'],
      env: {
        LOG_URL: 'kafka://broker-1:9092,broker-2:9092,broker-3:9092/tidemark',
        LOG_REPLICATION: '3',
        LOG_MIN_INSYNC: '2',
        KAFKA_ALONE: '0',
        // As many as brokers: each leads one.
        LOG_PARTITIONS: '3',
      },
    })
    expect(await podman('ps', '-a', '--format', '{{.Names}}')).not.toContain(stack.of('kafka'))
    const url = `http://127.0.0.1:${stack.ports.web}`
    const headers = { authorization: `Bearer ${stack.token}` }
    const orLogs = async (work: Promise<void>) => {
      try {
        await work
      } catch (error) {
        throw new Error(await stack.logs(), { cause: error })
      }
    }
    const isReady = async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok === true
    await orLogs(until('it answers', isReady, 180_000))

    const startMs = Date.now() - 10 * DAY_MS
    const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, EACH))
    await orLogs(stack.connect(senders, 0))
    for (const sender of senders) sender.send(EACH / 4)
    await orLogs(
      until('some are acknowledged', () => senders.every(({ acked }) => acked >= EACH / 4), 120_000),
    )
    await stack.kill('broker-2')
    for (const sender of senders) sender.send(EACH)
    await orLogs(until('all are acknowledged without it', () => senders.every(({ done }) => done), 180_000))
    expect(senders.flatMap(({ errors }) => errors)).toEqual([])

    const expected = expectedOf(senders, EACH, startMs)
    const isCounted = async () =>
      isDeepStrictEqual(await counted(url, startMs, headers).catch(() => null), expected)
    await orLogs(until('every message counts once', isCounted, 120_000))
    await stack.start('broker-2')
  },
  600_000,
)
