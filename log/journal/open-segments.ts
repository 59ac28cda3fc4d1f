import { TidemarkError } from '../../schemas/errors.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk, DiskFile } from '../../schemas/ports/disk.ts'
import type { AgentState } from '../senders.ts'
import type { KnownAgents } from './known-agents.ts'
import { RECORD_HEAD_BYTES } from './record.ts'
import { cutPosition, type Scan, scanSegment } from './scan.ts'
import { asBuffer, indexOf, type Segment, wholeFile } from './segment.ts'
import { FORMAT_VERSION, formatVersion, headBytesOf, type SegmentHead } from './segment-head.ts'
import { checksumSeed, parseSegmentName, type SegmentId } from './segment-name.ts'

/** What the steps of a recovery share. */
export interface Recovery {
  readonly disk: Disk
  readonly random: Random
  /** What is open: closed again when the recovery fails. */
  readonly files: Set<DiskFile>
  agentsInLake(): Promise<ReadonlyMap<string, AgentState>>
  agentsOf(states: ReadonlyMap<string, AgentState>): KnownAgents
  logLine(line: string): void
}

/** A segment's file. */
export interface Found extends SegmentId {
  readonly path: string
}

/** The segments of one partition. */
export interface Opened {
  /** Ascending; the last takes appends. */
  readonly segments: Segment[]
  readonly agents: KnownAgents
  /** Offset up to which there may have been blocks, whether they can be read or not. */
  readonly lostTo: number
}

/** The segments in a folder, in the order of their names. Throws `E_JOURNAL_VERSION`. */
export async function findSegments(disk: Disk, dir: string): Promise<Found[]> {
  const names = await disk.list(dir)
  const found = names.flatMap((name) => {
    const id = parseSegmentName(name)
    return id ? [{ ...id, path: `${dir}/${name}` }] : []
  })
  const old = found.find(({ mark }) => mark === '')
  if (old !== undefined) throw otherVersion(old.path, 1)
  return found
}

function otherVersion(path: string, version: number): TidemarkError {
  const message = `${path} has format version ${version}, this release reads ${FORMAT_VERSION}`
  return new TidemarkError('E_JOURNAL_VERSION', message)
}

/** A last segment, read as a whole. */
interface Last {
  readonly file: DiskFile
  readonly bytes: Buffer
  readonly scan: Scan
}

/** Opens the segments `found` of one partition, oldest first; null when none of them can be read. */
export async function openSegments(found: readonly Found[], recovery: Recovery): Promise<Opened | null> {
  const unreadable: Unreadable[] = []
  for (let i = found.length - 1; i >= 0; i--) {
    const last = await readLast(found[i]!, recovery)
    if (last !== null && 'scan' in last) return openBehind(found.slice(0, i + 1), last, unreadable, recovery)
    if (last !== null) unreadable.push(last)
  }
  await clearAway(unreadable, headBytesOf(new Map()), recovery)
  return null
}

/** A segment without a readable head or block. */
interface Unreadable extends Found {
  readonly length: number
}

async function readLast(found: Found, recovery: Recovery): Promise<Last | Unreadable | null> {
  const file = await openFile(found.path, recovery)
  if (file === null) return null
  const bytes = await wholeFile(file)
  const version = formatVersion(bytes)
  if (version !== null && version !== FORMAT_VERSION) throw otherVersion(found.path, version)
  const scan = scanSegment(bytes, found)
  if (scan.head !== null || scan.records.length > 0) return { file, bytes, scan }
  recovery.files.delete(file)
  await file.close()
  return { ...found, length: bytes.length }
}

async function openBehind(
  kept: readonly Found[],
  { file, bytes, scan }: Last,
  unreadable: readonly Unreadable[],
  recovery: Recovery,
): Promise<Opened> {
  const last = kept.at(-1)!
  // Only behind a segment that was synced as a whole another one is begun.
  const syncedBytes = unreadable.length > 0 ? bytes.length : cutPosition(scan, bytes.length)
  const whole = { records: scan.records.filter(({ end }) => end <= syncedBytes) }
  const before = scan.head ?? (await headOf(kept, kept.length - 1, recovery))
  if (scan.head === null)
    recovery.logLine(`journal: the head of ${last.path} is damaged; its state was computed again`)
  const index = indexOf(whole, { ...last, logTimeMs: before.logTimeMs }, null)
  for (const gap of index.gaps)
    recovery.logLine(`journal: blocks ${gap.from + 1} to ${gap.to} are damaged and left out`)
  const agents = recovery.agentsOf(before.agents)
  fold(agents, bytes, whole)
  const lostTo = await clearAway(unreadable, headBytesOf(agents.states), recovery)
  const sizes = { syncedBytes, headBytes: scan.headBytes }
  const segment: Segment = { ...last, ...sizes, file, seed: checksumSeed(last), index }
  await repairTail(segment, bytes.length, recovery)
  const older: Segment[] = []
  for (const one of kept.slice(0, -1)) {
    const opened = await openOlder(one, recovery)
    if (opened !== null) older.push(opened)
  }
  return { segments: [...older, segment], agents, lostTo }
}

/**
 * Clears last segments away of which nothing can be read. One not longer than a head was being made when the process died; a
 * longer one had blocks. Returns the offset up to which there may have been some: how many is known by their least length.
 */
async function clearAway(
  unreadable: readonly Unreadable[],
  headBytesMax: number,
  { disk, logLine }: Recovery,
): Promise<number> {
  let lostTo = -1
  for (const { path, length, firstOffset } of unreadable) {
    lostTo = Math.max(lostTo, firstOffset - 1)
    if (length <= headBytesMax) {
      logLine(`journal: ${path} holds nothing readable; removed`)
      await disk.remove(path)
      continue
    }
    logLine(`journal: ${path} is damaged, nothing of it can be read; renamed to ${path}.aside`)
    await disk.rename(path, `${path}.aside`)
    lostTo = Math.max(lostTo, firstOffset - 1 + Math.floor(length / RECORD_HEAD_BYTES))
  }
  return lostTo
}

async function repairTail(segment: Segment, fileBytes: number, { disk, logLine }: Recovery): Promise<void> {
  const { path, syncedBytes } = segment
  if (syncedBytes < fileBytes) {
    await segment.file.truncate(syncedBytes)
    logLine(`journal: cut ${fileBytes - syncedBytes} bytes of a write that was never acknowledged`)
  }
  await segment.file.sync()
  // The process may have died between making the file and making its name durable.
  await disk.syncDir(path.slice(0, path.lastIndexOf('/')))
}

/** The head of segment `i`, computed from its predecessors where it cannot be read. */
async function headOf(
  found: readonly Found[],
  i: number,
  recovery: Recovery,
): Promise<Omit<SegmentHead, 'firstOffset' | 'partition'>> {
  const own = scanSegment(await bytesOf(found[i]!, recovery.disk), found[i]!)
  if (own.head !== null) return own.head
  // What came before is trimmed, so the lake has it.
  if (i === 0) return { logTimeMs: 0, agents: await recovery.agentsInLake() }
  const previous = await headOf(found, i - 1, recovery)
  const file = await bytesOf(found[i - 1]!, recovery.disk)
  const scan = scanSegment(file, found[i - 1]!)
  const agents = recovery.agentsOf(previous.agents)
  fold(agents, file, scan)
  return { logTimeMs: scan.records.at(-1)?.logTimeMs ?? previous.logTimeMs, agents: agents.states }
}

async function bytesOf({ path }: Found, disk: Disk): Promise<Buffer> {
  return asBuffer((await disk.readFile(path)) ?? new Uint8Array())
}

function fold(agents: KnownAgents, file: Buffer, { records }: Pick<Scan, 'records'>): void {
  for (const { position, end, logTimeMs } of records)
    agents.add(file.subarray(position + RECORD_HEAD_BYTES, end), logTimeMs)
}

async function openFile(path: string, { disk, files }: Recovery): Promise<DiskFile | null> {
  const file = await disk.open(path)
  if (file !== null) files.add(file)
  return file
}

async function openOlder(found: Found, recovery: Recovery): Promise<Segment | null> {
  const file = await openFile(found.path, recovery)
  if (file === null) return null
  const sizes = { syncedBytes: await file.size(), headBytes: 0 }
  return { ...found, ...sizes, file, seed: checksumSeed(found), index: null }
}
