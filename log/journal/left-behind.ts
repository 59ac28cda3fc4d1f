import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { Position } from '../../schemas/position.ts'
import { BlockDecoder } from '../block-decoder.ts'
import type { LogReader } from '../port.ts'
import { KnownAgents } from './known-agents.ts'
import { findSegments, openSegments, type Recovery } from './open-segments.ts'
import { JournalReader } from './reader.ts'
import { highestPartition } from './recovery.ts'
import { Tail } from './tail.ts'

/** A journal of a partition that takes no more blocks, to be read alone. */
export interface LeftBehind extends Pick<LogReader, 'start' | 'read'> {
  readonly partition: number
  /** Offset of its last block. */
  readonly end: number
  close(): Promise<void>
}

/**
 * The journal in `dir` when the lake (`floor`) names a later partition than its own: others had the lake meanwhile, and what this one
 * acknowledged and had not sealed is here alone, until `openJournal` begins another partition. Null where there is none. Whoever
 * calls it has the folder to itself. Throws `E_JOURNAL_VERSION`.
 */
export async function openLeftBehind(
  { dir, floor }: { readonly dir: string; readonly floor: Position },
  deps: { readonly disk: Disk; readonly random: Random; logLine(line: string): void },
): Promise<LeftBehind | null> {
  await deps.disk.makeDir(dir)
  const found = await findSegments(deps.disk, dir)
  const partition = Math.max(-1, ...found.map((segment) => segment.partition))
  if (partition < 0 || highestPartition(floor) <= partition) return null
  const decoder = new BlockDecoder()
  const recovery: Recovery = {
    ...deps,
    files: new Set(),
    agentsInLake: async () => new Map(),
    agentsOf: (states) => new KnownAgents(decoder, states),
  }
  const close = async () => {
    for (const file of recovery.files) await file.close()
  }
  try {
    const own = found.filter((segment) => segment.partition === partition)
    const opened = await openSegments(own, recovery)
    if (opened === null) return null
    const reader = new JournalReader(opened.segments, new Tail(), { decoder, logLine: deps.logLine })
    return {
      partition,
      end: opened.segments.at(-1)!.index!.to,
      start: () => reader.start(),
      read: (_, after, blocksMax) => reader.read(after, blocksMax),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
