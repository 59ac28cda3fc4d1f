import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { offsetIn, type Position, partitionsOf } from '../../schemas/position.ts'
import type { BlockDecoder } from '../block-decoder.ts'
import type { AgentState } from '../senders.ts'
import { KnownAgents } from './known-agents.ts'
import { type Found, findSegments, type Opened, openSegments, type Recovery } from './open-segments.ts'
import { createSegment, type Segment } from './segment.ts'
import { MARK_BYTES } from './segment-name.ts'

export interface RecoveryConfig {
  readonly dir: string
  /** Highest positions that the lake names: the journal must not hold less. */
  readonly floor: Position
  /**
   * Called before a partition is begun: from then on nothing that another process began lands in the lake. Resolves with the
   * highest positions that the lake names then.
   */
  readonly fenceLake?: () => Promise<Position>
  /** What the lake knows of the agents: asked where the journal that knew is gone or damaged. */
  readonly agentsInLake?: () => Promise<ReadonlyMap<string, AgentState>>
  /** `AGENTS_BYTES_MAX`. */
  readonly agentsBytesMax?: number
}

export interface RecoveryDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly decoder: BlockDecoder
  logLine(line: string): void
}

export interface Recovered {
  /** Ascending; the last takes appends. */
  readonly segments: Segment[]
  readonly agents: KnownAgents
}

/**
 * Opens what a journal's folder holds, or begins a journal there:
 *
 *     1  segments of the newest partition, oldest first
 *     2  a last segment without a readable head or block was being made when the process died: removed. One that is longer
 *        than its head can have been had blocks: set aside, and as many offsets as it can have had are a gap
 *     3  the last segment is scanned; a bad range that nothing later proves to have been synced is a torn tail, never
 *        acknowledged: cut. What is kept is synced before anyone reads it
 *     4  the agents' state: the last head ⊕ the blocks behind it
 *     5  an end below `floor`, a position the lake names, means that blocks were lost: the next segment begins behind
 *        `floor`, so that no offset is used twice, and what is missing before it is a gap
 *     6  a journal that is gone, or of a partition before one that the lake names, begins the next partition. What the process
 *        before it still had under way to the lake would take the new blocks for its own: the lake is fenced first
 *
 * Whatever bytes the files hold, it opens; only a segment of another format version is refused, with `E_JOURNAL_VERSION`.
 */
export async function recover(config: RecoveryConfig, deps: RecoveryDeps): Promise<Recovered> {
  const recovery: Recovery = {
    ...deps,
    files: new Set(),
    agentsInLake: config.agentsInLake ?? (async () => new Map()),
    agentsOf: (states) => new KnownAgents(deps.decoder, states, config.agentsBytesMax),
  }
  try {
    return await openOrBegin(config, recovery, deps.clock)
  } catch (error) {
    for (const file of recovery.files) await file.close()
    throw error
  }
}

async function openOrBegin(
  { dir, floor, fenceLake = async () => floor }: RecoveryConfig,
  recovery: Recovery,
  clock: Clock,
): Promise<Recovered> {
  const { disk, logLine } = recovery
  await disk.makeDir(dir)
  const found = await findSegments(disk, dir)
  const partition = Math.max(-1, ...found.map((segment) => segment.partition))
  const [own, stale] = [true, false].map((is) => found.filter((one) => (one.partition === partition) === is))
  const opened = await openSegments(own!, recovery)
  if (opened !== null && highestPartition(floor) <= partition) {
    await setAside(stale!, recovery)
    const lostTo = Math.max(opened.lostTo, offsetIn(floor, partition))
    if (lastOffset(opened) < lostTo) await goOnBehind(opened, lostTo, { dir, clock, recovery })
    return opened
  }
  const highest = highestPartition(await fenceLake())
  if (opened !== null) {
    logLine(`journal: it is of partition ${partition}, and the lake names ${highest}; a new partition begins`)
  }
  if (opened === null && highest >= 0)
    logLine('journal: it is gone, and the lake names it; the agents are looked up in the lake')
  // Senders may have gone on with another owner of the lake.
  const inLake = highest >= 0 ? await recovery.agentsInLake() : new Map<string, AgentState>()
  const agents = recovery.agentsOf(joinAgents(inLake, opened?.agents.states ?? new Map()))
  const id = { partition: Math.max(highest, partition) + 1, firstOffset: 0, mark: newMark(recovery) }
  const segment = await createSegment(disk, dir, id, { logTimeMs: 0, agents: agents.states })
  for (const { file } of opened?.segments ?? []) await file.close()
  await setAside([...stale!, ...(opened?.segments ?? [])], recovery)
  return { segments: [segment], agents }
}

/** Of each agent what is known that is higher; those unseen for the longest first. */
function joinAgents(
  a: ReadonlyMap<string, AgentState>,
  b: ReadonlyMap<string, AgentState>,
): Map<string, AgentState> {
  const joined = new Map(a)
  for (const [id, { seq, lastMs }] of b) {
    const before = a.get(id) ?? { seq: 0, lastMs: 0 }
    joined.set(id, { seq: Math.max(before.seq, seq), lastMs: Math.max(before.lastMs, lastMs) })
  }
  return new Map([...joined].sort(([, one], [, other]) => one.lastMs - other.lastMs))
}

/** −1 where none is named. */
export function highestPartition(position: Position): number {
  return Math.max(-1, ...partitionsOf(position))
}

function newMark({ random }: Pick<Recovery, 'random'>): string {
  return random.hex(MARK_BYTES)
}

/** Adds the segment that begins behind `lostTo`; what its predecessor lacks before that reads as a gap. */
async function goOnBehind(
  opened: Opened,
  lostTo: number,
  { dir, clock, recovery }: { dir: string; clock: Clock; recovery: Recovery },
): Promise<void> {
  const last = opened.segments.at(-1)!
  const { to, toMs } = last.index!
  recovery.logLine(
    `journal: it ends at block ${to}; blocks ${to + 1} to ${lostTo} are lost, unless the lake has them`,
  )
  const logTimeMs = Math.max(toMs, clock.nowMs())
  const id = { partition: last.partition, firstOffset: lostTo + 1, mark: newMark(recovery) }
  const head = { logTimeMs, agents: opened.agents.states }
  opened.segments.push(await createSegment(recovery.disk, dir, id, head))
  // It is read again together with the gap behind it.
  last.index = null
}

function lastOffset({ segments }: Recovered): number {
  return segments.at(-1)!.index!.to
}

/** Segments of partitions that ended are kept under another name, for a person to look at. */
async function setAside(
  found: readonly Pick<Found, 'path'>[],
  { disk, logLine }: Pick<Recovery, 'disk' | 'logLine'>,
): Promise<void> {
  for (const { path } of found) {
    logLine(`journal: ${path} belongs to a partition that ended; renamed to ${path}.aside`)
    await disk.rename(path, `${path}.aside`)
  }
}
