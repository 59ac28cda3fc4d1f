import type { Accepted } from '../../log/accepted.ts'
import type { LeftBehind } from '../../log/journal/left-behind.ts'
import type { Block } from '../../schemas/block.ts'
import { isError } from '../../schemas/errors.ts'
import { type Gap, mergeGaps } from '../../schemas/position.ts'
import type { DatasetTables } from '../tables/deployment.ts'
import { coveredMs, type LogFacts, logFacts, sealApp, withLogFacts } from '../tables/messages.ts'
import { type SeqRange, sentElsewhere } from '../tables/sent-elsewhere.ts'
import { LOST_REASON } from './lost-partitions.ts'
import type { SealEncoder, SealFile, SealFiles } from './seal-files.ts'
import { readRange, type SealRange, upToBlock } from './seal-range.ts'

export interface LeftBehindDeps {
  readonly datasets: readonly Pick<DatasetTables, 'dataset' | 'messages'>[]
  readonly encoder: SealEncoder
  logLine(line: string): void
}

/**
 * Seals what a journal holds of a partition that was closed as lost while others had the lake, and makes the gap that stood for it
 * smaller, to nothing where the journal reaches as far as the lake ever named:
 *
 *     before   messages (…, a] ─ gap (a, closed]          journal (…, a] (a, end]
 *     after    messages (…, end], closed at max(closed, end)
 *
 * The rows keep their places in the log, and each commit takes them and their part of the gap at once: a process that dies between goes on
 * with what is left of it. What a sender sent again to another partition counts there. Returns how many blocks were sealed.
 */
export async function sealLeftBehind(left: LeftBehind, deps: LeftBehindDeps): Promise<number> {
  const { datasets, encoder, logLine } = deps
  const { partition, end } = left
  const lost = async () =>
    (await Promise.all(datasets.map(({ messages }) => messages.snapshot()))).map((base) =>
      lostOf(logFacts(base), partition),
    )
  const first = (await lost()).flatMap((gap) => gap ?? [])
  if (first.length === 0) return 0
  let from = Math.min(...first.map((gap) => gap.from))
  let fromMs = Math.min(...first.map((gap) => gap.fromMs))
  const messages = datasets.map((one) => one.messages)
  const senders = await sendersIn(left, from, fromMs)
  const elsewhere = await sentElsewhere(messages, partition, senders, logLine)
  let blocks = 0
  do {
    const gaps = await lost()
    const range = await readRange(left, { partition, from, fromMs }, end)
    const accepted = range.blocks.flatMap((block) => counted(block, elsewhere))
    const after = datasets.map(({ dataset }, i) => {
      return { dataset, after: gaps[i]?.from ?? Number.POSITIVE_INFINITY }
    })
    const made = await encoder.encode(after, accepted)
    const isWhole = made.blocks === accepted.length
    const part = isWhole ? range : upToBlock(range, accepted[made.blocks - 1]!.block)
    const sealed = { ...part, gaps: mergeGaps(part.gaps, refusedOf(part, made.refused, partition)) }
    for (const one of datasets) {
      const files = made.files.filter(({ dataset }) => dataset === one.dataset.name)
      await commit(one, files, { left, sealed })
    }
    if (sealed.to === from) break
    blocks += made.blocks - made.refused.length
    from = sealed.to
    fromMs = sealed.toMs
  } while (from < end)
  return blocks
}

/** The gap that stands for all that `partition` held and nobody sealed. */
function lostOf({ gaps }: LogFacts, partition: number): Gap | null {
  return gaps.find((gap) => gap.partition === partition && gap.reason.startsWith(LOST_REASON)) ?? null
}

/** The numbered senders behind `from`. */
async function sendersIn(left: LeftBehind, from: number, fromMs: number): Promise<Map<string, SeqRange>> {
  const senders = new Map<string, SeqRange>()
  for (let at = { partition: left.partition, from, fromMs }; at.from < left.end; ) {
    const { blocks, to, toMs } = await readRange(left, at, left.end)
    for (const block of blocks)
      for (const { sender, seq } of numbered(block)) {
        const before = senders.get(sender) ?? { from: seq, to: seq }
        senders.set(sender, { from: Math.min(before.from, seq), to: Math.max(before.to, seq) })
      }
    if (to === at.from) break
    at = { ...at, from: to, fromMs: toMs }
  }
  return senders
}

/** The rows of a block that no other partition has. */
function counted(block: Block, elsewhere: ReadonlyMap<string, ReadonlySet<number>>): Accepted[] {
  const repeated = new Set<number>()
  for (const { sender, seq, row } of numbered(block))
    if (elsewhere.get(sender)?.has(seq) === true) repeated.add(row)
  if (repeated.size === 0) return [{ block, rows: null }]
  const rows = Array.from({ length: block.messages.length }, (_, i) => i).filter((i) => !repeated.has(i))
  return rows.length === 0 ? [] : [{ block, rows: Uint16Array.from(rows) }]
}

/** The numbered rows of a block; none of one that cannot be read, which is for the seal to say. */
function numbered(block: Block): { sender: string; seq: number; row: number }[] {
  try {
    const { length, agent, seq } = block.messages
    return Array.from({ length }, (_, row) => {
      return { sender: agent.dictionary[agent.places[row]!] ?? '', seq: seq[row]!, row }
    }).filter((one) => one.seq > 0)
  } catch (error) {
    if (!isError(error, 'E_COLUMNS')) throw error
    return []
  }
}

/** Blocks that fit no dataset are damage. */
function refusedOf(range: SealRange, refused: SealFiles['refused'], partition: number): Gap[] {
  return refused.map(({ offset, reason }) => {
    const { logTimeMs } = range.blocks.find((block) => block.offset === offset)!
    return { partition, from: offset - 1, to: offset, fromMs: logTimeMs, toMs: logTimeMs, reason }
  })
}

async function commit(
  { messages }: Pick<DatasetTables, 'messages'>,
  sealed: readonly SealFile[],
  { left, sealed: range }: { readonly left: LeftBehind; readonly sealed: SealRange },
): Promise<void> {
  const { partition, end } = left
  const base = await messages.snapshot()
  const facts = logFacts(base)
  const gap = lostOf(facts, partition)
  if (base === null || gap === null || (sealed.length === 0 && range.to < end && range.gaps.length === 0))
    return
  const files = []
  for (const { bytes, about } of sealed) files.push(await messages.writeFile(bytes, about))
  const closed = Math.max(facts.closed[partition]!, end)
  // A journal that ends before what the lake names is an older copy: what it lacks stays a gap.
  const isOver = range.to >= end && end >= facts.closed[partition]! - 1
  const rest = { ...gap, from: Math.max(gap.from, range.to), fromMs: Math.max(gap.fromMs, range.toMs) }
  const others = facts.gaps.filter((one) => one !== gap)
  const gaps = mergeGaps(others, range.gaps, isOver ? [] : [rest])
  await messages.commit(base, {
    operation: 'SEAL LEFT BEHIND',
    add: files,
    dataChange: true,
    configuration: withLogFacts(base, { gaps, closed: { ...facts.closed, [partition]: closed } }),
    txns: {
      [sealApp(partition)]: {
        version: closed,
        lastUpdatedMs: Math.max(coveredMs(base, partition), range.toMs),
      },
    },
    info: { to: range.to },
  })
}
