import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startUp } from '../../test/heavy/up.ts'
import { startFloor } from '../floor.ts'
import { type Freshness, freshnessText, PROBE, watchFreshness } from '../freshness.ts'
import { machine, mib, ms, thousands } from '../measure.ts'
import { forkWith, messageOf, usageOf } from '../process.ts'
import { type QueryTimes, startQueries } from '../queries.ts'
import type { FleetOptions, Phases, Storm } from './fleet.ts'

/**
 * Thousands of connections: a fleet that sends a message a second each, then is cut and comes back all at once, each agent
 * with a spool. To `tidemark up`, and before it to a process that appends and syncs the same bytes without a look.
 */
const FLOOR_SECONDS_MAX = 10
/** The floor gets so small a part of the spool. */
const FLOOR_SPOOL = 10
const QUERY_EVERY_MS = 200
const PROBE_EVERY_MS = 1_000
/** Descriptors that a process needs beside its connections. */
const OTHER_FILES = 200
/** Longest wait for the last message to be counted by an answer. */
const COUNTED_MS_MAX = 10_000

export interface Side {
  readonly options: Omit<FleetOptions, 'port'>
  readonly connectMs: number
  readonly connectRetries: number
  readonly kibPerConnection: number
  readonly pace: Awaited<ReturnType<Phases['pace']>>
  /** Cores that receiver and fleet used while each agent sent its message a second. */
  readonly paceCores: number
  readonly fleetCores: number
  readonly storm: Storm
  readonly stormCores: number
  readonly peakMib: number
}

export interface Connections {
  readonly floor: Side
  readonly up: Side
  readonly queries: QueryTimes
  /** How soon answers count what was acknowledged, while all come back. */
  readonly freshness: Freshness
  /** Messages that answers count, and those that were sent. */
  readonly counted: number
  readonly sent: number
}

/** Throws when the machine does not allow so many open files. */
export async function benchConnections(
  agents: number,
  seconds: number,
  spooled: number,
): Promise<Connections> {
  await refuseTooMany(agents)
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  try {
    const floor = await againstFloor(join(dir, 'floor'), {
      acks: 'bytes',
      agents,
      seconds: Math.min(seconds, FLOOR_SECONDS_MAX),
      spooled: Math.ceil(spooled / FLOOR_SPOOL),
    })
    const up = await againstUp(join(dir, 'up'), { acks: 'messages', agents, seconds, spooled })
    return { floor, ...up, sent: agents * (seconds + spooled) }
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function refuseTooMany(agents: number): Promise<void> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const limit = Number(/Max open files\s+\d+\s+(\d+)/.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  const needed = agents + OTHER_FILES
  if (needed > limit)
    throw new Error(
      `${agents} connections need ${needed} open files, and the limit is ${limit}: raise it (ulimit -Hn ${needed})`,
    )
}

async function againstFloor(path: string, options: Omit<FleetOptions, 'port'>): Promise<Side> {
  using floor = await startFloor(path)
  return await phases(floor.pid, { ...options, port: floor.port }, (storm) => storm())
}

async function againstUp(data: string, options: Omit<FleetOptions, 'port'>) {
  // Those that were cut count until the collector has seen it.
  const connectionsMax = ['--collector-connections-max', String(2 * options.agents)]
  const up = await startUp(data, ['--agent-enabled', 'false', ...connectionsMax])
  try {
    let queries: QueryTimes | null = null
    let freshness: Freshness | null = null
    const side = await phases(up.child.pid!, { ...options, port: up.collector.port }, async (storm) => {
      const asking = startQueries(up.serving, 'service-000', QUERY_EVERY_MS)
      const watch = watchFreshness(up, up.collector.port, PROBE_EVERY_MS)
      const result = await storm()
      queries = await asking.stop()
      freshness = await watch.stop()
      return result
    })
    const counted = await countedBy(up.serving, options.agents * (options.seconds + options.spooled))
    return { up: side, queries: queries!, freshness: freshness!, counted }
  } finally {
    await up.end('SIGTERM')
  }
}

/** One phase after the other; `around` does what else is to be done during the storm. */
async function phases(
  pid: number,
  options: FleetOptions,
  around: (storm: () => Promise<Storm>) => Promise<Storm>,
): Promise<Side> {
  const child = forkWith(new URL('main.ts', import.meta.url), options)
  async function phase<N extends keyof Phases>(name: N): Promise<Awaited<ReturnType<Phases[N]>>> {
    child.send(name)
    return await messageOf<Awaited<ReturnType<Phases[N]>>>(child)
  }
  try {
    const idle = await usageOf(pid)
    const { ms: connectMs, retries } = await phase('connect')
    const [connected, fleetBefore] = await Promise.all([usageOf(pid), usageOf(child.pid!)])
    const pace = await phase('pace')
    const [paced, fleetAfter] = await Promise.all([usageOf(pid), usageOf(child.pid!)])
    const storm = await around(() => phase('storm'))
    const ended = await usageOf(pid)
    const { port: _, ...asked } = options
    return {
      options: asked,
      connectMs,
      connectRetries: retries,
      kibPerConnection: ((connected.residentMib - idle.residentMib) * 1_024) / options.agents,
      pace,
      paceCores: (paced.cpuSeconds - connected.cpuSeconds) / options.seconds,
      fleetCores: (fleetAfter.cpuSeconds - fleetBefore.cpuSeconds) / options.seconds,
      storm,
      stormCores: (ended.cpuSeconds - paced.cpuSeconds) / (storm.caughtUpMs / 1_000),
      peakMib: ended.peakMib,
    }
  } finally {
    child.disconnect()
  }
}

/** Messages of all services, as soon as answers count `expected` of them. */
async function countedBy(serving: string, expected: number): Promise<number> {
  const untilMs = Date.now() + COUNTED_MS_MAX
  for (;;) {
    const { services } = (await (await fetch(`${serving}/v1/services`)).json()) as {
      services: readonly { readonly service: string; readonly messages: number }[]
    }
    const sent = services.filter(({ service }) => !PROBE.test(service))
    const counted = sent.reduce((sum, { messages }) => sum + messages, 0)
    if (counted >= expected || Date.now() > untilMs) return counted
    await wait(100)
  }
}

export function connectionsText({ floor, up, queries, freshness, counted, sent }: Connections): string {
  const { agents, seconds, spooled } = up.options
  const rate = ({ storm }: Side) => (storm.messages / storm.caughtUpMs) * 1_000
  const side = (name: string, one: Side) => `${name}
  connect, all at once       ${ms(one.connectMs)}, ${one.connectRetries} tries more; ${one.kibPerConnection.toFixed(1)} KiB a connection
  a message a second each    ack after ${ms(one.pace.latencyMs.p50)} (p50), ${ms(one.pace.latencyMs.p99)} (p99), ${ms(one.pace.latencyMs.max)} (max) for ${one.options.seconds} s; ${one.paceCores.toFixed(2)} cores, the fleet ${one.fleetCores.toFixed(2)}
  cut and back, all at once  ${one.options.spooled.toLocaleString('en')} messages each: welcome after ${ms(one.storm.welcomedMs)}, ${one.storm.retries} tries more
    caught up                after ${(one.storm.caughtUpMs / 1_000).toFixed(1)} s, ${thousands(rate(one))}; the median agent after ${(one.storm.eachMs.p50 / 1_000).toFixed(1)} s; ${one.stormCores.toFixed(2)} cores
    resident memory          at most ${mib(one.peakMib)}`
  const { latencyMs, answered, failed } = queries
  return `${machine()}; ${agents.toLocaleString('en')} agents on the same cores, ${seconds} s, then ${spooled.toLocaleString('en')} messages each

${side('append and sync alone', floor)}
${side('tidemark up', up)}
    queries meanwhile        ${answered} answered after ${ms(latencyMs.p50)} (p50), ${ms(latencyMs.p99)} (p99), ${ms(latencyMs.max)} (max); ${failed} failed
    a message                ${freshnessText(freshness)}
    counted by answers       ${counted.toLocaleString('en')} of ${sent.toLocaleString('en')} sent
up / append                  pace ${(up.paceCores / floor.paceCores).toFixed(1)} × the cores; back at ${(rate(up) / rate(floor)).toFixed(2)} of the rate`
}
