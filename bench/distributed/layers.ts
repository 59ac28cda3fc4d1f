import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Brokers } from '../../test/heavy/kafka/brokers.ts'
import { processesOn } from '../../test/heavy/kafka/processes.ts'
import { environment } from '../../test/heavy/up.ts'
import { ackMs, lastingPort } from '../../test/heavy/watch.ts'
import { send } from '../floor.ts'
import { type Percentiles, percentiles } from '../measure.ts'
import { bytesBelow, usageOf } from '../process.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
/** Partitions of the topic. */
const PARTITIONS = 4
const PROBE_EVERY_MS = 250
/** A message that takes longer to be counted is given up. */
const VISIBLE_MS_MAX = 60_000

/** What each layer costs for a message at a rate that all keep up with, and how soon one is visible. */
export interface LayerCosts {
  readonly messages: number
  readonly rate: number
  readonly tickMs: number
  /** CPU for a message by layer; µs. */
  readonly us: { readonly [layer: string]: number }
  /** Of a run that computes all from the messages. */
  readonly batchUs: number
  /** Of the table of messages in the lake, and of the log; for a message. */
  readonly lakeBytes: number
  readonly visibleMs: Percentiles
  readonly unseen: number
}

/** Every layer a process, one of each, at a fixed rate. */
export async function measureLayers(
  brokers: Brokers,
  { rate, seconds, tickMs }: { rate: number; seconds: number; tickMs: number },
): Promise<LayerCosts> {
  await using processes = await processesOn(brokers.addresses, { topic: 'bench-layers' })
  const [port, serving] = [await lastingPort(Math.random), await lastingPort(Math.random)]
  const tick = ['--speed-tick', `${tickMs}ms`]
  const listen = ['--collector-listen', `127.0.0.1:${port}`, '--log-partitions', String(PARTITIONS)]
  const layers = {
    collector: await processes.start('collector', 'collector', ...listen),
    speed: await processes.start('speed', 'speed', ...tick),
    'lake-writer': await processes.start('lake-writer', 'lake-writer'),
    serve: await processes.start('serve', 'serve', '--serving-listen', `127.0.0.1:${serving}`, ...tick),
  }
  const cpu = async () =>
    Promise.all(Object.values(layers).map(async ({ child }) => (await usageOf(child.pid!)).cpuSeconds))
  const before = await cpu()
  const probes = probing(`http://127.0.0.1:${serving}`, port)
  const { acknowledged } = await send({ port, connections: 4, seconds, rate, varied: true, acks: 'messages' })
  const visible = await probes.stop()
  const after = await cpu()
  const flags = ['--data', join(processes.dir, 'batch'), ...processes.shared]
  const run = await batchCpu(flags)
  const messages = join(processes.dir, 'lake', 'messages')
  return {
    ...{ messages: acknowledged, rate: acknowledged / seconds, tickMs },
    us: Object.fromEntries(
      Object.keys(layers).map((name, i) => [name, ((after[i]! - before[i]!) / acknowledged) * 1e6]),
    ),
    batchUs: (run / acknowledged) * 1e6,
    lakeBytes: (await bytesBelow(messages)) / acknowledged,
    ...visible,
  }
}

/** CPU seconds of a run from all messages, beyond those of one that finds nothing new, after one that has sealed them. */
async function batchCpu(flags: readonly string[]): Promise<number> {
  await cpuOfCommand(['batch', '--once', ...flags])
  const nothing = await cpuOfCommand(['batch', '--once', ...flags])
  return (await cpuOfCommand(['batch', '--once', '--full', ...flags])) - nothing
}

/** CPU seconds of a `tidemark` command, its last moments excepted. */
async function cpuOfCommand(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [ENTRY, ...args], { env: environment(), stdio: 'ignore' })
  let seconds = 0
  const look = () =>
    usageOf(child.pid!).then(({ cpuSeconds }) => {
      if (cpuSeconds > seconds) seconds = cpuSeconds
    })
  const timer = setInterval(() => void look(), 50)
  const code = await new Promise((resolve) => child.once('exit', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`tidemark ${args[0]} ended with ${code}`)
  return seconds
}

/** Sends messages of services of their own, several on their way at once, and notes when an answer counts each. */
function probing(serving: string, port: number) {
  const visible: number[] = []
  const waiting = new Set<Promise<void>>()
  let unseen = 0
  let stopped = false
  const probe = async (service: string) => {
    await ackMs(port, service)
    const ackedMs = performance.now()
    const range = `from=${Date.now() - 86_400_000}&to=${Date.now() + 86_400_000}`
    while (!(await fetch(`${serving}/v1/services/${service}/stats?${range}`)).ok) {
      if (performance.now() - ackedMs > VISIBLE_MS_MAX) {
        unseen += 1
        return
      }
      await wait(100)
    }
    visible.push(performance.now() - ackedMs)
  }
  const sending = (async () => {
    for (let n = 0; !stopped; n++) {
      const one = probe(`probe-${n}`)
      waiting.add(one)
      void one.finally(() => waiting.delete(one))
      await wait(PROBE_EVERY_MS)
    }
  })()
  return {
    async stop() {
      stopped = true
      await sending
      await Promise.all(waiting)
      return { visibleMs: percentiles(visible), unseen }
    },
  }
}
