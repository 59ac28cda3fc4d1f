import { spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Brokers } from '../../test/heavy/kafka/brokers.ts'
import { type LayerProcess, processesOn, temporaryBucket } from '../../test/heavy/kafka/processes.ts'
import { environment } from '../../test/heavy/up.ts'
import { lastingPort } from '../../test/heavy/watch.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const DAY_SECONDS = 86_400
/** Between two runs of the process whose runs are counted. */
const RUN_SECONDS = 20
/** The canonical day: 100 hosts of 20 services, every 10 s. */
const FLEET = ['--services', '20', '--hosts', '5', '--rate', '10']

export const REQUESTS = ['list', 'put', 'get', 'delete'] as const
/** Requests by kind, and bytes of their bodies. */
export type Requests = {
  readonly [kind in (typeof REQUESTS)[number] | 'bytesSent' | 'bytesReceived']: number
}

/** What each layer asks of a bucket in a day, one process of each. */
export interface DayRequests {
  readonly seconds: number
  readonly layers: { readonly [layer: string]: Requests }
  /** A day's 24 runs alone. */
  readonly runs: Requests
}

/** Layers over a bucket while the canonical fleet sends for so long, with the default settings but for the schedule. */
export async function measureRequests(brokers: Brokers, seconds: number): Promise<DayRequests> {
  await using bucket = await temporaryBucket()
  await using processes = await processesOn(brokers.addresses, { topic: 'bench-bucket', lake: bucket.flags })
  const [port, serving] = [await lastingPort(Math.random), await lastingPort(Math.random)]
  await processes.start('collector', 'collector', '--collector-listen', `127.0.0.1:${port}`)
  const layers: { [layer: string]: LayerProcess } = {
    speed: await processes.start('speed', 'speed'),
    'lake-writer': await processes.start('lake-writer', 'lake-writer'),
    // It asks of the bucket between runs alone: none is due.
    batch: await processes.start('batch', 'batch', '--batch-schedule', '0 0 1 1 *'),
    running: await processes.start('running', 'batch', '--batch-schedule', `*/${RUN_SECONDS} * * * * *`),
    serve: await processes.start('serve', 'serve', '--serving-listen', `127.0.0.1:${serving}`),
  }
  const fleet = spawn(process.execPath, [ENTRY, 'fleet', '--collector', `127.0.0.1:${port}`, ...FLEET], {
    env: environment(),
    stdio: 'ignore',
  })
  try {
    await wait(Math.min(RUN_SECONDS, seconds) * 1_000)
    const url = `http://127.0.0.1:${serving}`
    const [before, runsBefore] = [await allOf(layers), await runsKnown(url)]
    await wait(seconds * 1_000)
    const [after, runsAfter] = [await allOf(layers), await runsKnown(url)]
    const during = (name: string) => minus(after[name]!, before[name]!)
    const runs = Math.max(1, runsAfter - runsBefore)
    const { running: _, ...asked } = layers
    return {
      seconds,
      layers: Object.fromEntries(
        Object.keys(asked).map((name) => [name, times(during(name), DAY_SECONDS / seconds)]),
      ),
      runs: times(minus(during('running'), during('batch')), 24 / runs),
    }
  } finally {
    fleet.kill('SIGKILL')
  }
}

/** How many runs a node knows of. */
async function runsKnown(serving: string): Promise<number> {
  const text = await (await fetch(`${serving}/v1/runs`)).text()
  return new Set([...text.matchAll(/"run":"([^"]+)"/g)].map(([, run]) => run)).size
}

async function allOf(layers: { readonly [layer: string]: LayerProcess }) {
  const entries = Object.entries(layers).map(
    async ([name, layer]) => [name, await requestsOf(layer)] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

async function requestsOf(layer: LayerProcess): Promise<Requests> {
  const text = await layer.metrics()
  const of = (kind: string, what = 'requests') =>
    Number(new RegExp(`^tidemark_requests_${kind}_${what}_total (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  const all = (what: string) => [...REQUESTS, 'multipart'].reduce((sum, kind) => sum + of(kind, what), 0)
  return {
    ...{ list: of('list'), put: of('put'), get: of('get'), delete: of('delete') },
    ...{ bytesSent: all('bytes_sent'), bytesReceived: all('bytes_received') },
  }
}

const minus = (a: Requests, b: Requests) => each((name) => a[name] - b[name])
const times = (a: Requests, factor: number) => each((name) => Math.round(a[name] * factor))

function each(of: (name: keyof Requests) => number): Requests {
  return {
    ...{ list: of('list'), put: of('put'), get: of('get'), delete: of('delete') },
    ...{ bytesSent: of('bytesSent'), bytesReceived: of('bytesReceived') },
  }
}
