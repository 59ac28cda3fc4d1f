import { expect, test } from 'vitest'
import { LoadSender } from '../load.ts'
import { runCommand } from '../up.ts'
import { lastingPort, until } from '../watch.ts'
import { kafkaFound, startBrokers } from './brokers.ts'
import { counted, expectedOf, type LayerProcess, processesOn, watchLaw } from './processes.ts'

/**
 * Speed workers and lake writers share the partitions of the log by a consumer group. One joins, one is killed, one stands still
 * until its partitions are others' and then wakes: whatever the group believes meanwhile, every message counts once.
 */

const SENDERS = 4
const EACH = 5_000
/** Longer than a member may be silent. */
const STILL_MS = 14_000

test.runIf(kafkaFound())(
  'workers that join, die and wake share the partitions, with either client',
  async () => {
    await using brokers = await startBrokers(1)
    await using processes = await processesOn(brokers.addresses)
    const port = await lastingPort(Math.random)
    const listen = ['--collector-listen', `127.0.0.1:${port}`, '--collector-block-messages', '1']
    await processes.start('collector', 'collector', ...listen, '--log-partitions', '3')
    const speed = (n: number) => processes.start(`speed-${n}`, 'speed', '--speed-tick', '1s')
    const writer = (n: number) =>
      processes.start(`writer-${n}`, 'lake-writer', '--log-kafka-client', 'platformatic')
    const serving = await lastingPort(Math.random)
    const [speed1, speed2, writer1, writer2] = await Promise.all([
      ...[speed(1), speed(2), writer(1), writer(2)],
      processes.start('serve', 'serve', '--serving-listen', `127.0.0.1:${serving}`, '--speed-tick', '1s'),
    ] as const)
    await shared([speed1, speed2], [writer1, writer2])

    const startMs = Date.now() - 12 * 3_600_000
    const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, EACH))
    for (const sender of senders) sender.connect(port)
    await until('all are welcome', () => senders.every(({ connected }) => connected))
    const url = `http://127.0.0.1:${serving}`
    const watched = watchLaw([url], senders, startMs)
    const sending = setInterval(() => {
      for (const sender of senders) sender.send(6)
    }, 50)
    try {
      await until('some count', async () => (await counted(url, startMs)).messages > 1_000)
      const [speed3, writer3] = await Promise.all([speed(3), writer(3)])
      await shared([speed1, speed2, speed3], [writer1, writer2, writer3])
      speed1.child.kill('SIGKILL')
      writer1.child.kill('SIGKILL')
      await shared([speed2, speed3], [writer2, writer3])
      speed2.child.kill('SIGSTOP')
      writer2.child.kill('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, STILL_MS))
      await shared([speed3], [writer3])
      speed2.child.kill('SIGCONT')
      writer2.child.kill('SIGCONT')
      await shared([speed2, speed3], [writer2, writer3])
      await until('all are acknowledged', () => senders.every(({ done }) => done), 90_000)
    } finally {
      clearInterval(sending)
    }

    const expected = expectedOf(senders, EACH, startMs)
    const isRight = async () => JSON.stringify(await counted(url, startMs)) === JSON.stringify(expected)
    await until('every message counts once in real time', isRight)
    const run = await runCommand([
      ...['batch', '--once', '--data', `${processes.dir}/batch`],
      ...processes.shared,
    ])
    expect([run.code, run.out]).toEqual([0, expect.stringContaining('published')])
    await until('every message counts once from the batch', isRight)
    const { wrong, complete, incomplete } = await watched()
    expect(wrong).toEqual([])
    expect(complete).toBeGreaterThan(20)
    console.log(`rebalance: ${complete} complete answers, ${incomplete} said that they may lack something`)
  },
  240_000,
)

/** Waits until the processes of each layer have every partition among them, each one of them. */
async function shared(...layers: readonly (readonly LayerProcess[])[]): Promise<void> {
  for (const layer of layers) {
    const told = () => layer.map((one) => one.partitions())
    await until('the partitions are shared', () => told().flat().sort().join() === '0,1,2', 45_000).catch(
      (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(told())}; ${layer.map((one) => one.output())}`)
      },
    )
  }
}
