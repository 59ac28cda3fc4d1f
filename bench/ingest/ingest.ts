import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startUp } from '../../test/heavy/up.ts'
import { againstFloor, send } from '../floor.ts'
import { type Freshness, freshnessText, watchFreshness } from '../freshness.ts'
import { machine, median, mib } from '../measure.ts'
import { watchMemory } from '../process.ts'
import { benchDecoding, type Decoding, decodingText } from './decoding.ts'
import type { SenderOptions, Sent } from './sender.ts'

/**
 * Ingest: messages a second that a whole `tidemark up` (speed, sealing, serving) acknowledges as durable to a sender process
 * beside it, against a process that appends the same bytes and syncs them without a look; and the decoder alone (decoding.ts).
 */
const CONNECTIONS = 4
/** Rounds of the decoder alone. */
const DECODING_ROUNDS = 150
const PROBE_EVERY_MS = 250

export interface Ingest {
  readonly seconds: number
  readonly floor: Sent
  readonly full: Sent
  /** At half of the full rate. */
  readonly half: Sent
  /** At the full rate: how soon answers count what was acknowledged. */
  readonly freshness: Freshness
  /** Resident memory of the process while it was sent to, in MiB, each second. */
  readonly rssMib: readonly number[]
  readonly halfRssMib: readonly number[]
  readonly decoding: readonly Decoding[]
}

export async function benchIngest(seconds: number): Promise<Ingest> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  try {
    const floor = await againstFloor(join(dir, 'floor'), sending(seconds))
    const full = await againstUp(join(dir, 'full'), sending(seconds))
    const rate = median(full.sent.perSecond) / 2
    const half = await againstUp(join(dir, 'half'), { ...sending(seconds), rate })
    return {
      seconds,
      floor,
      full: full.sent,
      half: half.sent,
      freshness: full.freshness,
      rssMib: full.residentMib,
      halfRssMib: half.residentMib,
      decoding: benchDecoding(DECODING_ROUNDS),
    }
  } finally {
    await rm(dir, { recursive: true })
  }
}

const sending = (seconds: number) => ({ connections: CONNECTIONS, seconds, rate: 0 })

/** What `up` acknowledged, how soon that was visible, and its memory meanwhile. */
async function againstUp(data: string, options: Omit<SenderOptions, 'port' | 'acks'>) {
  const up = await startUp(data, ['--agent-enabled', 'false'])
  try {
    using memory = watchMemory(up.child.pid!)
    const watch = watchFreshness(up, up.collector.port, PROBE_EVERY_MS)
    const sent = await send({ ...options, port: up.collector.port, acks: 'messages' })
    return { sent, residentMib: memory.residentMib, freshness: await watch.stop() }
  } finally {
    await up.end('SIGTERM')
  }
}

export function ingestText(result: Ingest): string {
  const { seconds, floor, full, half, freshness, rssMib, halfRssMib, decoding } = result
  const thousands = (sent: Sent) => `${(median(sent.perSecond) / 1_000).toFixed(0)} k messages/s`
  const latency = ({ latencyMs: { p50, p99, max } }: Sent) =>
    `ack after ${p50.toFixed(0)} ms (p50), ${p99.toFixed(0)} ms (p99), ${max.toFixed(0)} ms (max)`
  const memory = (each: readonly number[]) => `${mib(median(each))}, at most ${mib(Math.max(...each))}`
  const ratio = median(full.perSecond) / median(floor.perSecond)
  return `${machine()}; sender and collector on the same cores, ${CONNECTIONS} connections, medians of ${seconds} seconds

append and sync alone      ${thousands(floor)}; ${latency(floor)}
tidemark up                ${thousands(full)}; ${latency(full)}; up / append = ${ratio.toFixed(2)}
  slowest second           ${(Math.min(...full.perSecond) / 1_000).toFixed(0)} k messages/s
  a message                ${freshnessText(freshness)}
  resident memory          ${memory(rssMib)}
at half of that rate       ${thousands(half)}; ${latency(half)}
  resident memory          ${memory(halfRssMib)}
${decodingText(decoding)}`
}
