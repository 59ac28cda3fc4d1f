import type { Clock } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { offsetIn, type Position, partitionsOf } from '../../schemas/position.ts'
import type { AgentState } from '../senders.ts'
import {
  decodeHead,
  encodeHead,
  parseSegmentName,
  RECORD_HEAD_BYTES,
  type SegmentHead,
  segmentName,
} from './format.ts'
import { KnownAgents } from './known-agents.ts'
import { cutPosition, type Scan, scanRecords } from './scan.ts'
import { indexOf, type Segment, wholeFile } from './segment.ts'

export interface Recovered {
  /** Ascending; the last takes appends. */
  readonly segments: Segment[]
  readonly agents: KnownAgents
}

export interface RecoveryConfig {
  readonly dir: string
  /** Highest positions that the lake names. */
  readonly floor: Position
  readonly fenceLake?: () => Promise<Position>
  readonly agentsInLake?: () => Promise<ReadonlyMap<string, AgentState>>
}

export interface RecoveryDeps {
  agentsInLake(): Promise<ReadonlyMap<string, AgentState>>
  readonly disk: Disk
  readonly clock: Clock
  logLine(line: string): void
}

/**
 * Opens what a journal's folder holds, or begins a journal there:
 *
 *     1  segments of the newest partition, oldest first
 *     2  a last segment without a readable head or block was being made when the process died: removed
 *     3  the last segment is scanned; a bad range that nothing later proves to have been synced is a torn tail, never
 *        acknowledged: cut. What is kept is synced before anyone reads it
 *     4  the agents' state: the last head ⊕ the blocks behind it
 *     5  an end below `floor`, a position the lake names, means that blocks were lost: the next segment begins behind
 *        `floor`, so that no offset is used twice, and what is missing before it is a gap
 *     6  a journal that is gone, or of a partition before one that the lake names, begins the next partition. What the process
 *        before it still had under way to the lake would take the new blocks for its own: the lake is fenced first
 */
export async function recover(
  { dir, floor, fenceLake = async () => floor, agentsInLake = async () => new Map() }: RecoveryConfig,
  given: Omit<RecoveryDeps, 'agentsInLake'>,
): Promise<Recovered> {
  const deps = { ...given, agentsInLake }
  const { disk, logLine } = deps
  await disk.makeDir(dir)
  const found = (await disk.list(dir)).flatMap((name) => {
    const parsed = parseSegmentName(name)
    return parsed ? [{ ...parsed, path: `${dir}/${name}` }] : []
  })
  const partition = Math.max(-1, ...found.map((segment) => segment.partition))
  const opened = await openLast(
    found.filter((segment) => segment.partition === partition),
    deps,
  )
  const stale = found.filter((segment) => segment.partition !== partition)
  if (opened !== null && highestPartition(floor) <= partition) {
    await setAside(stale, deps)
    if (lastOffset(opened) < offsetIn(floor, partition))
      await goOnBehind(opened, offsetIn(floor, partition), dir, deps)
    return opened
  }
  const highest = highestPartition(await fenceLake())
  if (opened !== null) {
    logLine(`journal: it is of partition ${partition}, and the lake names ${highest}; a new partition begins`)
  }
  if (opened === null && highest >= 0)
    logLine('journal: it is gone, and the lake names it; the agents are looked up in the lake')
  const agents = opened?.agents ?? new KnownAgents(highest >= 0 ? await deps.agentsInLake() : new Map())
  const segment = await createSegment(disk, dir, {
    partition: Math.max(highest, partition) + 1,
    firstOffset: 0,
    logTimeMs: 0,
    agents: agents.at(0),
  })
  for (const { file } of opened?.segments ?? []) await file.close()
  await setAside([...stale, ...(opened?.segments ?? [])], deps)
  return { segments: [segment], agents }
}

function highestPartition(position: Position): number {
  return Math.max(-1, ...partitionsOf(position))
}

/** Adds the segment that begins behind `floor`; what its predecessor lacks before that reads as a gap. */
async function goOnBehind(opened: Recovered, floor: number, dir: string, deps: RecoveryDeps): Promise<void> {
  const last = opened.segments.at(-1)!
  const { to, toMs } = last.index!
  deps.logLine(
    `journal: it ends at block ${to}, before ${floor}, which the lake names; blocks ${to + 1} to ${floor} are lost, unless the lake has them`,
  )
  const logTimeMs = Math.max(toMs, deps.clock.nowMs())
  const next = { partition: last.partition, firstOffset: floor + 1, logTimeMs }
  opened.segments.push(await createSegment(deps.disk, dir, { ...next, agents: opened.agents.at(logTimeMs) }))
  // It is read again together with the gap behind it.
  last.index = null
}

function lastOffset({ segments }: Recovered): number {
  return segments.at(-1)!.index!.to
}

type Found = { readonly partition: number; readonly firstOffset: number; readonly path: string }

async function openLast(found: readonly Found[], deps: RecoveryDeps): Promise<Recovered | null> {
  const kept = [...found]
  for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
    const segment = await openSegment(deps.disk, last)
    if (segment === null) {
      kept.pop()
      continue
    }
    const bytes = await wholeFile(segment.file)
    const head = decodeHead(bytes, last.path)
    const scan = scanRecords(bytes, head?.bytes ?? 0)
    if (head === null && scan.records.length === 0) {
      deps.logLine(`journal: ${last.path} holds nothing readable; removed`)
      await segment.file.close()
      await deps.disk.remove(last.path)
      kept.pop()
      continue
    }
    await repairTail(segment, scan, bytes.length, deps)
    const before = head?.head ?? (await headOf(kept, kept.length - 1, deps))
    if (head === null)
      deps.logLine(`journal: the head of ${last.path} is damaged; its state was computed again`)
    const whole = { ...scan, records: scan.records.filter(({ end }) => end <= segment.syncedBytes) }
    segment.index = indexOf(whole, { ...last, logTimeMs: before.logTimeMs }, null)
    for (const gap of segment.index.gaps) {
      deps.logLine(`journal: blocks ${gap.from + 1} to ${gap.to} are damaged and left out`)
    }
    const agents = new KnownAgents(before.agents)
    fold(agents, bytes, whole)
    const older = await Promise.all(kept.slice(0, -1).map((one) => openSegment(deps.disk, one)))
    return { segments: [...older.filter((one) => one !== null), segment], agents }
  }
  return null
}

async function repairTail(segment: Segment, scan: Scan, fileBytes: number, deps: RecoveryDeps) {
  const cut = cutPosition(scan, fileBytes)
  if (cut < fileBytes) {
    await segment.file.truncate(cut)
    deps.logLine(`journal: cut ${fileBytes - cut} bytes of a write that was never acknowledged`)
  }
  await segment.file.sync()
  // The process may have died between making the file and making its name durable.
  await deps.disk.syncDir(segment.path.slice(0, segment.path.lastIndexOf('/')))
  segment.syncedBytes = cut
}

/** The head of segment `i`, computed from its predecessors where it cannot be read. */
async function headOf(found: readonly Found[], i: number, deps: RecoveryDeps): Promise<SegmentHead> {
  const { path, partition, firstOffset } = found[i]!
  const bytes = Buffer.from((await deps.disk.readFile(path)) ?? [])
  const own = decodeHead(bytes, path)
  if (own !== null) return own.head
  // What came before is trimmed, so the lake has it.
  if (i === 0) return { partition, firstOffset, logTimeMs: 0, agents: await deps.agentsInLake() }
  const previous = await headOf(found, i - 1, deps)
  const file = Buffer.from((await deps.disk.readFile(found[i - 1]!.path)) ?? [])
  const scan = scanRecords(file, decodeHead(file, found[i - 1]!.path)?.bytes ?? 0)
  const agents = new KnownAgents(previous.agents)
  fold(agents, file, scan)
  const logTimeMs = scan.records.at(-1)?.logTimeMs ?? previous.logTimeMs
  return { partition, firstOffset, logTimeMs, agents: agents.at(logTimeMs) }
}

function fold(agents: KnownAgents, file: Buffer, { records }: Scan): void {
  for (const { position, end, logTimeMs } of records) {
    agents.add(file.subarray(position + RECORD_HEAD_BYTES, end), logTimeMs)
  }
}

async function openSegment(disk: Disk, { path, partition, firstOffset }: Found): Promise<Segment | null> {
  const file = await disk.open(path)
  if (file === null) return null
  return { path, partition, firstOffset, file, syncedBytes: await file.size(), index: null }
}

/** Makes a segment durable with its name, before any block is written to it. */
export async function createSegment(disk: Disk, dir: string, head: SegmentHead): Promise<Segment> {
  const path = `${dir}/${segmentName(head.partition, head.firstOffset)}`
  const file = await disk.open(path, { create: true })
  const bytes = encodeHead(head)
  await file.truncate(0)
  await file.write(0, bytes)
  await file.sync()
  await disk.syncDir(dir)
  return {
    path,
    partition: head.partition,
    firstOffset: head.firstOffset,
    file,
    syncedBytes: bytes.length,
    index: indexOf({ records: [], bad: [] }, head, null),
  }
}

/** Segments of partitions that ended are kept under another name, for a person to look at. */
async function setAside(
  found: readonly Pick<Found, 'path'>[],
  { disk, logLine }: RecoveryDeps,
): Promise<void> {
  for (const { path } of found) {
    logLine(`journal: ${path} belongs to a partition that ended; renamed to ${path}.aside`)
    await disk.rename(path, `${path}.aside`)
  }
}
