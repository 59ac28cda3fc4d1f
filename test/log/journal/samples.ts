import { type Journal, openJournal } from '../../../log/journal/journal.ts'
import { parseSegmentName, type SegmentId } from '../../../log/journal/segment-name.ts'
import type { LogReader } from '../../../log/port.ts'
import type { AgentState } from '../../../log/senders.ts'
import type { Position } from '../../../schemas/position.ts'
import { stringAt } from '../../../schemas/string-column.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { SimClock } from '../../sim/clock.ts'
import type { SimDisk } from '../../sim/disk.ts'
import { hostColumns } from '../../sim/messages.ts'
import { simRandom } from '../../sim/random.ts'

export const DIR = '/data/journal'
export const START_MS = Date.UTC(2026, 0, 31, 23, 59)

/** Which segment the file of that path is. */
export function idOf(path: string): SegmentId {
  return parseSegmentName(path.slice(path.lastIndexOf('/') + 1))!
}

/** A block of one agent's messages `from` to `from + count − 1`. */
export function block(agent: string, from: number, count = 1): Uint8Array {
  const messages = hostColumns(
    Array.from({ length: count }, (_, i) => ({
      service: 'web',
      host: `host-${i % 3}`,
      timeMs: START_MS + i,
      gauges: [i, i / 2, 1e15],
      agent,
      seq: from + i,
    })),
  )
  return encodeBlock(messages)
}

export function openOn(
  disk: SimDisk,
  options: {
    floor?: Position
    segmentBytesMax?: number
    clock?: SimClock
    seed?: number
    agentsBytesMax?: number
    lines?: string[]
    fenceLake?: () => Promise<Position>
    agentsInLake?: () => Promise<ReadonlyMap<string, AgentState>>
  } = {},
): Promise<Journal> {
  return openJournal(
    {
      dir: DIR,
      holder: 'a test',
      floor: options.floor ?? {},
      segmentBytesMax: options.segmentBytesMax ?? 2_000,
      ...(options.agentsBytesMax === undefined ? {} : { agentsBytesMax: options.agentsBytesMax }),
      ...(options.fenceLake ? { fenceLake: options.fenceLake } : {}),
      ...(options.agentsInLake ? { agentsInLake: options.agentsInLake } : {}),
    },
    {
      disk,
      random: simRandom(options.seed ?? 1),
      clock: options.clock ?? new SimClock(START_MS),
      logLine: (line) => void options.lines?.push(line),
    },
  )
}

/** Every block kept, `agent/seq` of its first message, and the gaps between. */
export async function contents(log: LogReader): Promise<{ blocks: string[]; gaps: string[] }> {
  const blocks: string[] = []
  const gaps: string[] = []
  const [partition] = log.partitions() as [number]
  for (let after = log.start(partition); after < log.end(partition); ) {
    const slice = await log.read(partition, after, 3)
    if (slice.to <= after) throw new Error(`no progress after ${after}`)
    for (const { offset, messages } of slice.blocks)
      blocks.push(`${offset}:${stringAt(messages.agent, 0)}/${messages.seq[0]}`)
    for (const gap of slice.gaps) gaps.push(`${gap.from},${gap.to}`)
    after = slice.to
  }
  return { blocks, gaps }
}
