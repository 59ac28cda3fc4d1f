import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import { openTable } from '../../lake/delta/table.ts'
import { localStore } from '../../lake/store/local.ts'
import { host } from '../../schemas/datasets/host.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startUp } from '../../test/heavy/up.ts'
import { againstFloor, send } from '../floor.ts'
import type { Sent } from '../ingest/sender.ts'
import { machine, median, mib, ms, thousands } from '../measure.ts'
import { bytesBelow, forkWith, messageOf, watchMemory } from '../process.ts'
import { publishAll, runNow } from '../runs.ts'
import { PEERS, type Peer } from './peers.ts'
import type { PostOptions } from './sender.ts'
import { startPeer } from './start.ts'
import { pathOf, versionOf } from './version.ts'

/**
 * Ingest beside others: the same samples over as many connections on the same cores, to the floor, to a whole `tidemark up`,
 * and to each peer. One after the other, each with a sender of its own.
 */
const CONNECTIONS = 4
const GAUGES = 3
/** Disk has settled when so many looks see the same bytes. */
const LOOKS = 6
const LOOKS_MAX = 60

export interface Measured {
  readonly name: string
  readonly ack: string
  readonly sent: Sent
  readonly residentMib: readonly number[]
  /** Everything in its directory. */
  readonly diskBytes: number
  /** Of it what its tables consist of now; absent where nothing else is kept. */
  readonly tableBytes?: number
}

export interface Comparison {
  readonly seconds: number
  readonly floor: Sent
  readonly measured: readonly Measured[]
}

/** `upArgs` are further flags of `tidemark up`. Throws when a peer is not installed. */
export async function benchPeers(
  seconds: number,
  lookMs = 2_000,
  upArgs: readonly string[] = [],
): Promise<Comparison> {
  const programs = PEERS.map(installed)
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  try {
    const sending = { connections: CONNECTIONS, seconds, rate: 0, varied: true }
    const floor = await againstFloor(join(dir, 'floor'), sending)
    const measured = [await againstTidemark(join(dir, 'tidemark'), sending, lookMs, upArgs)]
    for (const [i, peer] of PEERS.entries()) {
      const options = { connections: CONNECTIONS, seconds }
      const { path, version } = programs[i]!
      const name = `${peer.name} ${version}, ${peer.linesPerRequest} lines a request`
      measured.push({ ...(await againstPeer(peer, path, join(dir, peer.program), options, lookMs)), name })
    }
    return { seconds, floor, measured }
  } finally {
    await rm(dir, { recursive: true })
  }
}

/** The program that PATH finds, and its version. */
function installed(peer: Peer): { readonly path: string; readonly version: string } {
  const path = pathOf(peer.program)
  if (path === null)
    throw new Error(`${peer.program} is not installed; on Debian: apt-get install ${peer.package}`)
  return { path, version: versionOf(path, peer) }
}

async function againstTidemark(
  data: string,
  sending: Parameters<typeof againstFloor>[1],
  lookMs: number,
  upArgs: readonly string[],
): Promise<Measured> {
  const up = await startUp(data, ['--agent-enabled', 'false', ...upArgs])
  try {
    using memory = watchMemory(up.child.pid!)
    const sent = await send({ ...sending, port: up.collector.port, acks: 'messages' })
    await publishAll(up.serving)
    // A run begins with removing what the one before no longer needs.
    await runNow(up.serving)
    return {
      name: 'tidemark up',
      ack: 'fdatasync of the journal, one for all that arrived meanwhile',
      sent,
      residentMib: memory.residentMib,
      diskBytes: await settledBytes(data, lookMs),
      tableBytes: await tableBytes(join(data, 'lake')),
    }
  } finally {
    await up.end('SIGTERM')
  }
}

async function againstPeer(
  peer: Peer,
  program: string,
  dir: string,
  sending: { connections: number; seconds: number },
  lookMs: number,
): Promise<Measured> {
  const { name, ack, linesPerRequest, write: path } = peer
  await using started = await startPeer(peer, program, dir)
  using memory = watchMemory(started.pid)
  const options: PostOptions = { ...sending, port: started.port, path, linesPerRequest }
  const sent = await messageOf<Sent>(forkWith(new URL('sender.ts', import.meta.url), options))
  await started.settle()
  return { name, ack, sent, residentMib: memory.residentMib, diskBytes: await settledBytes(dir, lookMs) }
}

/** Bytes of a directory, once they have stopped to change. */
export async function settledBytes(dir: string, lookMs: number): Promise<number> {
  const seen: number[] = []
  while (seen.length < LOOKS_MAX) {
    await wait(lookMs)
    seen.push(await bytesBelow(dir))
    if (seen.length >= LOOKS && new Set(seen.slice(-LOOKS)).size === 1) break
  }
  return seen.at(-1)!
}

/** Bytes of the files that the newest versions of the lake's tables name. */
async function tableBytes(lake: string): Promise<number> {
  const random = nodeRandom()
  const store = await localStore(nodeDisk(), lake, random)
  let bytes = 0
  for (const name of [messagesTable(host.name), serviceMinute.name]) {
    const snapshot = await openTable(name, { store, clock: nodeClock(), random }).snapshot()
    for (const { size } of snapshot?.files.values() ?? []) bytes += size
  }
  return bytes
}

export function peersText({ seconds, floor, measured }: Comparison): string {
  const rate = (sent: Sent) => median(sent.perSecond)
  const acks = ({ latencyMs: { p50, p99 } }: Sent) => `ack after ${ms(p50)} (p50), ${ms(p99)} (p99)`
  const rows = measured.map(({ name, ack, sent, residentMib, diskBytes, tableBytes = diskBytes }) => {
    const perValue = (bytes: number) => `${(bytes / (sent.acknowledged * GAUGES)).toFixed(2)} bytes a value`
    const beside =
      tableBytes === diskBytes ? '' : `; ${perValue(diskBytes)} with journal and superseded files`
    return `${name}
  ${thousands(rate(sent))}; it / append = ${(rate(sent) / rate(floor)).toFixed(2)}; ${acks(sent)}
  an ack means               ${ack}
  resident memory            ${mib(median(residentMib))}, at most ${mib(Math.max(...residentMib))}
  on disk, settled           ${perValue(tableBytes)}${beside}`
  })
  return `${machine()}; sender and receiver on the same cores, ${CONNECTIONS} connections, medians of ${seconds} seconds

append and sync alone
  ${thousands(rate(floor))}; ${acks(floor)}
${rows.join('\n')}`
}
