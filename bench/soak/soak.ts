import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startUp } from '../../test/heavy/up.ts'
import { againstFloor } from '../floor.ts'
import { type Freshness, freshnessText, watchFreshness } from '../freshness.ts'
import type { Sent, Slice } from '../ingest/sender.ts'
import { machine, median, mib, ms, thousands } from '../measure.ts'
import { forkWith, messageOf } from '../process.ts'
import { type QueryTimes, startQueries } from '../queries.ts'
import { keepRunning, type RunSeen, UNSCHEDULED } from '../runs.ts'
import { type State, watchState } from './state.ts'

/**
 * A steady rate for long: everything of `tidemark up` at work, its own agent, ticks, seals and runs, while somebody asks a
 * question each second. Its floor, measured before, appends and syncs the same lines at the same rate.
 */
const CONNECTIONS = 4
const SLICES = 10
const QUERY_EVERY_MS = 1_000
const FLOOR_SECONDS_MAX = 10
/** A slice holds the rate from here on. */
const HELD = 0.99
/** Memory of the last third over that of the first, up to which it is flat. */
const FLAT = 1.1

/** What came of a tenth of the time. */
export interface Part {
  readonly perSecond: number
  readonly ackMs: Sent['latencyMs']
  readonly states: readonly State[]
}

export interface Soak {
  readonly seconds: number
  readonly rate: number
  /** Between two runs; 0 when none is started. */
  readonly runSeconds: number
  readonly floor: Sent
  readonly sent: Sent
  readonly parts: readonly Part[]
  readonly runs: readonly RunSeen[]
  readonly queries: QueryTimes
  readonly freshness: Freshness
}

/** A run starts every `runSeconds`, none when that is 0. `logLine` gets a line for each part as it ends. */
export async function benchSoak(
  seconds: number,
  rate: number,
  runSeconds: number,
  logLine: (line: string) => void,
  upArgs: readonly string[] = [],
): Promise<Soak> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  const sending = { connections: CONNECTIONS, rate, varied: true }
  try {
    const floorSeconds = Math.min(seconds, FLOOR_SECONDS_MAX)
    const floor = await againstFloor(join(dir, 'floor'), { ...sending, seconds: floorSeconds })
    const up = await startUp(join(dir, 'up'), [...(runSeconds > 0 ? [] : UNSCHEDULED), ...upArgs])
    try {
      const sliceSeconds = seconds / SLICES
      const options = { ...sending, port: up.collector.port, acks: 'messages', seconds, sliceSeconds }
      const sender = forkWith(new URL('../ingest/sender.ts', import.meta.url), options)
      using watch = watchState(up.serving, up.child.pid!)
      // The service is unknown before its first message.
      await new Promise((resolve) => setTimeout(resolve, QUERY_EVERY_MS))
      const asking = startQueries(up.serving, 'service-000', QUERY_EVERY_MS)
      const fresh = watchFreshness(up, up.collector.port, QUERY_EVERY_MS)
      const running = runSeconds > 0 ? keepRunning(up.serving, runSeconds * 1_000) : null
      const parts: Part[] = []
      sender.on('message', (message: Slice | Sent) => {
        if (!('slice' in message)) return
        const { acknowledged, latencyMs } = message.slice
        const part = { perSecond: acknowledged / sliceSeconds, ackMs: latencyMs, states: watch.take() }
        parts.push(part)
        logLine(partText(part, parts.length * sliceSeconds))
      })
      const sent = await messageOf(sender, (one): one is Sent => 'perSecond' in (one as object))
      const [queries, freshness, runs] = await Promise.all([
        asking.stop(),
        fresh.stop(),
        running?.stop() ?? [],
      ])
      return { seconds, rate, runSeconds, floor, sent, parts, runs, queries, freshness }
    } finally {
      await up.end('SIGTERM')
    }
  } finally {
    await rm(dir, { recursive: true })
  }
}

const most = (states: readonly State[], of: (state: State) => number) => Math.max(0, ...states.map(of))

function partText({ perSecond, ackMs, states }: Part, atSeconds: number): string {
  const lag = most(states, ({ sealLagBlocks }) => sealLagBlocks).toLocaleString('en')
  const tickAge = most(states, ({ tickAgeMs }) => tickAgeMs) / 1_000
  const memory = mib(median(states.map(({ residentMib }) => residentMib)))
  return `  ${atSeconds.toFixed(0).padStart(4)} s  ${thousands(perSecond)}, ack p99 ${ms(ackMs.p99)}, ${memory}, at most ${lag} blocks unsealed, newest tick at most ${tickAge.toFixed(0)} s old`
}

/** Whether the rate held in every part, and the resident memory of the last third over that of the first. */
export function verdict({ parts, rate }: Pick<Soak, 'parts' | 'rate'>): {
  readonly held: boolean
  readonly growth: number
} {
  const third = Math.ceil(parts.length / 3)
  const memory = (some: readonly Part[]) =>
    median(some.flatMap(({ states }) => states.map(({ residentMib }) => residentMib)))
  return {
    held: parts.every(({ perSecond }) => perSecond >= rate * HELD),
    growth: memory(parts.slice(-third)) / memory(parts.slice(0, third)),
  }
}

export function soakText(soak: Soak): string {
  const { seconds, rate, runSeconds, floor, sent, parts, runs, queries, freshness } = soak
  const { held, growth } = verdict(soak)
  const acks = ({ latencyMs: { p50, p99, max } }: Sent) =>
    `${ms(p50)} (p50), ${ms(p99)} (p99), ${ms(max)} (max)`
  const published = runs.filter(({ result }) => result === 'published').map((run) => run.ms)
  const others = runs.filter(({ result }) => result !== 'published').map(({ result }) => result)
  const runsText =
    runSeconds === 0
      ? 'none, as asked'
      : `one every ${runSeconds} s: ${published.length} published after ${ms(median(published))} (median), ${ms(Math.max(0, ...published))} (max)${others.length > 0 ? `; others: ${others.join(', ')}` : ''}`
  const slowest = Math.min(...parts.map(({ perSecond }) => perSecond))
  return `${machine()}; ${thousands(rate)} for ${seconds} s, sender and collector on the same cores
  acknowledged               ${thousands(sent.acknowledged / sent.seconds)}; ${thousands(slowest)} in the slowest tenth
  ack                        ${acks(sent)}
  ack of append and sync     ${acks(floor)}; up / append at p50 = ${(sent.latencyMs.p50 / floor.latencyMs.p50).toFixed(1)}
  runs                       ${runsText}
  queries                    ${queries.answered} answered after ${ms(queries.latencyMs.p50)} (p50), ${ms(queries.latencyMs.p99)} (p99); ${queries.failed} failed
  a message                  ${freshnessText(freshness)}
  verdict                    the rate ${held ? 'held' : 'did NOT hold'}; memory ${growth <= FLAT ? 'is flat' : 'GREW'}: last third / first third = ${growth.toFixed(2)}`
}
