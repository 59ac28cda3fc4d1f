import type { Journal } from '../../log/journal/journal.ts'
import type { Log } from '../../log/port.ts'
import type { Columns } from '../../schemas/message.ts'
import { decodeBlock } from '../sim/blocks.ts'
import { covers } from './oracle.ts'
import type { Site } from './site.ts'

/** Blocks read in one go. */
const BLOCKS_PER_READ = 1_000

/**
 * The journal with the oracle beside it: what it kept over a crash is compared with what was durable before, and each
 * block that becomes durable is recorded in the turn in which readers begin to see it.
 */
export async function followJournal(site: Site, journal: Journal): Promise<Log> {
  await compareKept(site, journal)
  const { clock } = site
  const { partition } = journal
  const waiting: { messages: Columns; logTimeMs: number }[] = []
  let next = journal.end(partition) + 1
  let lastMs = site.oracle.block(partition, journal.end(partition))?.logTimeMs ?? 0
  journal.onAppend(() => {
    for (; next <= journal.end(partition); next++) {
      // The journal would take a throw for a failure of its disk.
      try {
        const block = { partition, offset: next, ...waiting.shift()! }
        site.oracle.record(block, clock.passedMs)
      } catch (error) {
        site.broken ??= error
      }
    }
  })
  return {
    partitions: () => journal.partitions(),
    append(to, payload) {
      lastMs = Math.max(lastMs, clock.nowMs())
      waiting.push({ messages: decodeBlock(payload), logTimeMs: lastMs })
      return journal.append(to, payload)
    },
    leastClockMs: () => journal.leastClockMs(),
    pendingBytes: () => journal.pendingBytes(),
    uncoveredBytes: () => journal.uncoveredBytes(),
    covered: (position) => journal.covered(position),
    end: (of) => journal.end(of),
    start: (of) => journal.start(of),
    read: (of, after, blocksMax) => journal.read(of, after, blocksMax),
    trim: (position) => journal.trim(position),
    cut: () => journal.cut(),
    onAppend: (fn) => journal.onAppend(fn),
    state: () => journal.state(),
    close: () => journal.close(),
  }
}

/** Nothing that was durable is missing or another, but what was damaged; nothing else is called damaged. */
async function compareKept(site: Site, journal: Journal): Promise<void> {
  const { oracle } = site
  const { partition } = journal
  for (let after = journal.start(partition); after < journal.end(partition); ) {
    const slice = await journal.read(partition, after, BLOCKS_PER_READ)
    for (const block of slice.blocks) {
      const known = oracle.block(partition, block.offset)
      if (known === null) oracle.record(block, site.clock.passedMs)
      else if (JSON.stringify(known.messages) !== JSON.stringify(block.messages))
        fail(site, `block ${partition}/${block.offset} is another after the crash`)
    }
    for (const gap of slice.gaps) {
      for (let offset = gap.from + 1; offset <= gap.to; offset++) {
        const known = oracle.block(partition, offset)
        if (known !== null && !oracle.isSuspect(partition, offset) && covers(gap, known))
          fail(site, `block ${partition}/${offset} is sound and called damaged`)
      }
    }
    if (slice.to === after) break
    after = slice.to
  }
  for (let offset = journal.end(partition) + 1; offset <= oracle.end(partition); offset++) {
    if (!oracle.isSuspect(partition, offset)) fail(site, `block ${partition}/${offset} is lost`)
    oracle.drop(partition, offset)
  }
}

/** The start cannot go on, and no layer may take it for a failure of its own. */
function fail(site: Site, message: string): never {
  site.broken = new Error(message)
  throw site.broken
}
