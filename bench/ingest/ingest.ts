import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { INLINING_FLAGS } from '../../cli/node-flags.ts'
import { DatasetIntake } from '../../collector/intake/dataset-intake.ts'
import { LineDecoder } from '../../collector/ndjson/decode/decoder.ts'
import { LineBuffer } from '../../collector/ndjson/decode/line-buffer.ts'
import { host } from '../../schemas/datasets/host.ts'
import { startUp } from '../../test/heavy/up.ts'
import { againstFloor, send } from '../floor.ts'
import { type Freshness, freshnessText, watchFreshness } from '../freshness.ts'
import { machine, median, mib } from '../measure.ts'
import { watchMemory } from '../process.ts'
import { FIRST_SEQ, LINES_PER_WRITE, Lines } from './lines.ts'
import type { SenderOptions, Sent } from './sender.ts'

/**
 * Ingest: messages a second that a whole `tidemark up` (speed, sealing, serving) acknowledges as durable to a sender process
 * beside it, against a process that appends the same bytes and syncs them without a look; and the decoder alone against
 * `JSON.parse`.
 */
const CONNECTIONS = 4
/** Few enough to stay in the processor's cache, as what has just come from a socket does. */
const DECODED_LINES = 4_000
/** Short rounds in turn: whatever slows the machine for a while slows both. */
const ROUNDS = 150
const DECODE_PASSES = 4
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
  /** Millions of lines a second. */
  readonly decode: number
  readonly jsonParse: number
  /** How many times as fast the decoder was as `JSON.parse` in the same moment. */
  readonly timesJsonParse: number
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
      ...decoding(),
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

/** The decoder alone and `JSON.parse` of the same lines, in millions of lines a second. */
function decoding(): Pick<Ingest, 'decode' | 'jsonParse' | 'timesJsonParse'> {
  for (const flag of INLINING_FLAGS) setFlagsFromString(flag)
  const lines = new Lines(1)
  const { lineBytes } = lines
  const nowMs = Date.now()
  const parts = Array.from({ length: DECODED_LINES / LINES_PER_WRITE }, (_, i) =>
    lines.next(FIRST_SEQ + i * LINES_PER_WRITE, nowMs),
  )
  const bytes = Buffer.concat(parts)
  const lineBuffer = new LineBuffer(bytes.length)
  const end = lineBuffer.put(bytes)
  const decoder = new LineDecoder(
    lineBuffer,
    new DatasetIntake(host, { servicesMax: 1_000, hostsMax: 1_000 }),
  )
  const context = { arrivalMs: nowMs, oldestMs: 0, senderAddress: '', agent: 'bench' }
  const decode = () => {
    for (let at = 0; at < end; at += lineBytes)
      if (decoder.decode(at, context) < 0) throw new Error('not a usual line')
  }
  const jsonParse = () => {
    for (let at = 0; at < end; at += lineBytes) JSON.parse(bytes.toString('utf8', at, at + lineBytes))
  }
  const rounds = Array.from({ length: ROUNDS }, () => {
    return { decode: millionsPerSecond(decode, DECODE_PASSES), jsonParse: millionsPerSecond(jsonParse, 1) }
  })
  return {
    decode: median(rounds.map((round) => round.decode)),
    jsonParse: median(rounds.map((round) => round.jsonParse)),
    timesJsonParse: median(rounds.map((round) => round.decode / round.jsonParse)),
  }
}

function millionsPerSecond(work: () => void, passes: number): number {
  const before = performance.now()
  for (let pass = 0; pass < passes; pass++) work()
  return (passes * DECODED_LINES) / (performance.now() - before) / 1_000
}

export function ingestText(result: Ingest): string {
  const { seconds, floor, full, half, freshness, rssMib, halfRssMib, decode, jsonParse, timesJsonParse } =
    result
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
decoder                    ${decode.toFixed(2)} M lines/s; JSON.parse ${jsonParse.toFixed(2)}; decoder / JSON.parse = ${timesJsonParse.toFixed(1)}`
}
