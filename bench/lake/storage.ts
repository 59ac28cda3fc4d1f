import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import type { Snapshot, Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { localStore } from '../../lake/store/local.ts'
import { messagesSchema } from '../../lake/tables/messages.ts'
import { mergeAll } from '../../lake/writer/merge-files.ts'
import { encodeHere, encodeSeal } from '../../lake/writer/seal-files.ts'
import { host } from '../../schemas/datasets/host.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { budgetText } from '../budget.ts'
import { machine } from '../measure.ts'
import { settledBytes } from '../peers/compare.ts'
import { PEERS, type Peer } from '../peers/peers.ts'
import { startPeer } from '../peers/start.ts'
import { pathOf, versionOf } from '../peers/version.ts'
import { bytesBelow } from '../process.ts'
import { openDuckdb } from './made.ts'
import { type Walk, walkBlocks, walkLines, walkMessages } from './walk.ts'

/** Bytes that a day takes, everything in its folder counted, and the files of rows among it. */
interface Stored {
  readonly name: string
  readonly bytes: number
  /** What it may be at most, bytes a value. */
  readonly budget?: number
}

export interface Storage {
  readonly walk: Walk
  readonly values: number
  readonly stored: readonly Stored[]
}

const GAUGES = host.gauges.length

/** A day of a fleet in `messages` as it is sealed every hour, compacted, in plain Parquet, and in the peers that are installed. */
export async function benchStorage(walk: Walk, lookMs = 3_000, peers = PEERS): Promise<Storage> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  try {
    const stored = [...(await inLake(join(dir, 'lake'), walk))]
    stored.push({ name: 'plain zstd Parquet, in arrival order', bytes: await inPlainParquet(dir) })
    for (const peer of peers) {
      const path = pathOf(peer.program)
      if (path !== null) stored.push(await inPeer(peer, path, join(dir, peer.program), walk, lookMs))
    }
    return { walk, values: walkMessages(walk) * GAUGES, stored }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function inLake(dir: string, walk: Walk): Promise<Stored[]> {
  const random = nodeRandom()
  const clock = nodeClock()
  const store = await localStore(nodeDisk(), dir, random)
  const messages = openTable(messagesTable(host.name), { store, clock, random })
  let last = await messages.create(messagesSchema(host), {})
  for (const blocks of walkBlocks(walk)) {
    const sealed = encodeSeal(
      [{ dataset: host, after: -1 }],
      blocks.map((block) => ({ block, rows: null })),
    )
    const add = await Promise.all(sealed.files.map(({ bytes, about }) => messages.writeFile(bytes, about)))
    last = await messages.commit(last, { operation: 'SEAL', add, dataChange: true })
  }
  const folder = join(dir, messages.name)
  const before = await bytesBelow(folder)
  const replaced = sizeOf(last)
  // A day later it is closed.
  const later = { ...clock, nowMs: () => walk.startMs + 2 * DAY_MS }
  await mergeAll(
    { dataset: host, messages, encoder: encodeHere, clock: later, logLine: console.error },
    () => false,
  )
  const after = (await bytesBelow(folder)) - replaced + (await stillThere(messages, last))
  return [
    { name: 'messages, sealed every hour', bytes: before },
    { name: 'messages, compacted', bytes: after, budget: 0.6 },
  ]
}

const sizeOf = ({ files }: Snapshot) => [...files.values()].reduce((sum, { size }) => sum + size, 0)

/** Of the files of a version, those that the newest has too. */
async function stillThere(table: Table, { files }: Snapshot): Promise<number> {
  const newest = (await table.snapshot()) as Snapshot
  return [...files.values()].reduce((sum, { path, size }) => sum + (newest.files.has(path) ? size : 0), 0)
}

/** The same rows and columns, as a program writes them that thinks of nothing. */
async function inPlainParquet(dir: string): Promise<number> {
  using duckdb = await openDuckdb()
  const folder = join(dir, 'plain')
  const all = `read_parquet('${dir}/lake/messages/date=*/*.parquet', hive_partitioning = false)`
  const rows = `SELECT DISTINCT ON ("offset", "index") * FROM ${all} ORDER BY "offset", "index"`
  await nodeDisk().makeDir(folder)
  await duckdb.db.run(`COPY (${rows}) TO '${folder}/rows.parquet' (FORMAT parquet, COMPRESSION zstd)`)
  return bytesBelow(folder)
}

async function inPeer(peer: Peer, path: string, dir: string, walk: Walk, lookMs: number): Promise<Stored> {
  await using started = await startPeer(peer, path, dir)
  for (const body of walkLines(walk, peer.linesPerRequest)) {
    const answer = await fetch(`http://127.0.0.1:${started.port}${peer.write}`, { method: 'POST', body })
    if (!answer.ok) throw new Error(`${peer.name} refused: ${await answer.text()}`)
  }
  await started.settle()
  return { name: `${peer.name} ${versionOf(path, peer)}`, bytes: await settledBytes(dir, lookMs) }
}

export function storageText({ walk, values, stored }: Storage): string {
  const { hosts, services, hours } = walk
  const perValue = (bytes: number) => `${bytes.toFixed(3)} bytes a value`
  const rows = stored.map(({ name, bytes, budget }) => {
    const each = bytes / values
    const text = budget === undefined ? perValue(each) : budgetText(each, { atMost: budget }, perValue)
    return `  ${name.padEnd(38)} ${(bytes / 2 ** 20).toFixed(2)} MiB, ${text}`
  })
  return `${machine()}
${hosts} hosts of ${services} services, every 10 s for ${hours} h: ${values} values, whole percentages in steps of -2 to 2
${rows.join('\n')}`
}
