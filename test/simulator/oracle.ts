import type { Block } from '../../schemas/block.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { WHOLE } from '../../schemas/cell-rows.ts'
import { type Cells, keyAt, rowAt, timesOf } from '../../schemas/cells.ts'
import { answerFields, answersOf } from '../../schemas/gauge-answer.ts'
import { type Message, messageAt } from '../../schemas/message.ts'
import { type Gap, offsetIn, type Position } from '../../schemas/position.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import type { AnswerGap, Range, Stats } from '../../serving/answers.ts'
import { type Amended, type Amendments, type BatchBasis, isInBatch } from './amendments.ts'

/**
 * What every answer must equal: one plain fold over the accepted messages at or below a position. It keeps every
 * block it ever saw become durable, for ever, and shares nothing with the layers but the cell.
 *
 * A block that was damaged is suspect: an answer may hold it, or lack it and say so.
 */
export class Oracle {
  readonly blocks: Block[] = []
  /** What people changed of them; null where nobody does. */
  amendments: Amendments | null = null
  /** Samples of real agents by number: the message that holds it. */
  readonly #samples = new Map<number, string>()
  #sampleCount = 0
  readonly #byName = new Map<string, Block>()
  readonly #acceptedMs = new WeakMap<Block, number>()
  readonly #suspect = new Set<string>()
  /** `agent/seq`, or host of an unnumbered message → how many blocks hold it. */
  readonly #numbered = new Map<string, number>()
  /** `agent/seq` → what senders sent under it: a clone of an agent may send something else. */
  readonly #sent = new Map<string, string[]>()
  readonly #excused = new Set<string>()
  readonly #highest = new Map<number, number>()
  #memo: { name: string; cells: CellFold } | null = null

  /** A sender made this message. */
  noteSent(message: Message): void {
    const name = messageName(message)
    this.#sent.set(name, [...(this.#sent.get(name) ?? []), contentOf(message)])
  }

  /** A block became durable, so much time after the start: long after its log time, when the disk was in trouble. */
  record(block: Block, passedMs: number): void {
    const name = nameOf(block.partition, block.offset)
    if (this.#byName.has(name)) throw new Error(`block ${name} became durable twice`)
    this.#byName.set(name, block)
    this.#acceptedMs.set(block, passedMs)
    this.blocks.push(block)
    this.#highest.set(block.partition, Math.max(this.highest(block.partition), block.offset))
    this.#memo = null
    messagesOf(block).forEach((message, i) => {
      if (this.has(message) && !this.#excused.has(message))
        throw new Error(`message ${message} was accepted twice`)
      this.#recordSample(messageAt(block.messages, i), message)
      this.#numbered.set(message, (this.#numbered.get(message) ?? 0) + 1)
      const sent = this.#sent.get(message)
      const got = contentOf(messageAt(block.messages, i))
      if (sent !== undefined && !sent.includes(got))
        throw new Error(`message ${message} is ${got} instead of ${sent.join(' or ')}`)
    })
  }

  /** When the block became durable, in time since the start. */
  acceptedMs(block: Block): number {
    return this.#acceptedMs.get(block)!
  }

  /** Number of the next sample of a real agent, which is its last gauge. */
  nextSample(): number {
    this.#sampleCount += 1
    return this.#sampleCount
  }

  /** Whether a sample of a real agent was accepted, under whatever id. */
  hasSample(number: number): boolean {
    return this.#samples.has(number)
  }

  #recordSample({ names, gauges }: Message, name: string): void {
    if (!/^host-\d$/.test(names[1] ?? '')) return
    const before = this.#samples.get(gauges.at(-1)!)
    if (before !== undefined && !this.#excused.has(before))
      throw new Error(`sample ${gauges.at(-1)} was accepted as ${before} and as ${name}`)
    this.#samples.set(gauges.at(-1)!, name)
  }

  /** The block of that name, if it ever became durable. */
  block(partition: number, offset: number): Block | null {
    return this.#byName.get(nameOf(partition, offset)) ?? null
  }

  /** The highest offset of a partition that ever became durable, −1 when none did. */
  end(partition: number): number {
    return this.blocks.reduce((end, b) => (b.partition === partition ? Math.max(end, b.offset) : end), -1)
  }

  /** The highest offset ever recorded, dropped blocks included; −1 when none was. */
  highest(partition: number): number {
    return this.#highest.get(partition) ?? -1
  }

  partitions(): number[] {
    return [...new Set(this.blocks.map(({ partition }) => partition))]
  }

  /** Whether a message, as `agent/seq` or `host` of an unnumbered one, was accepted. */
  has(message: string): boolean {
    return (this.#numbered.get(message) ?? 0) > 0
  }

  /** Whether a message was in a block that was damaged: it may be lost, and come again. */
  isExcused(message: string): boolean {
    return this.#excused.has(message)
  }

  /** A block was damaged: whether answers hold it is theirs to say. */
  suspect(partition: number, offset: number): void {
    const block = this.block(partition, offset)
    if (block === null) return
    this.#suspect.add(nameOf(partition, offset))
    for (const message of messagesOf(block)) this.#excused.add(message)
    this.#memo = null
  }

  /** The lake may not know the messages of this block any more: a journal that begins anew may take them again. */
  excuse(partition: number, offset: number): void {
    const block = this.block(partition, offset)
    if (block !== null) for (const message of messagesOf(block)) this.#excused.add(message)
  }

  isSuspect(partition: number, offset: number): boolean {
    return this.#suspect.has(nameOf(partition, offset))
  }

  /** A damaged block that nothing knows any more: its name may be given again. */
  drop(partition: number, offset: number): void {
    this.suspect(partition, offset)
    const block = this.#byName.get(nameOf(partition, offset))
    if (block === undefined) return
    this.#byName.delete(nameOf(partition, offset))
    this.#suspect.delete(nameOf(partition, offset))
    this.blocks.splice(this.blocks.indexOf(block), 1)
    for (const message of messagesOf(block)) this.#numbered.set(message, this.#numbered.get(message)! - 1)
    this.#memo = null
  }

  /**
   * The cells of every sound block at or below `upTo`, of the suspect ones that no gap says are missing, and of those in
   * `also`; but none of those that lie in `lacking`. What lies below the tidemark of `batch` is as the version of the table of
   * messages has it from which the answer was computed.
   */
  cells(
    view: View,
    upTo: Position,
    gaps: readonly Gap[] = [],
    {
      also = [],
      lacking = [],
      batch,
    }: { also?: readonly Block[]; lacking?: readonly AnswerGap[]; batch?: BatchBasis } = {},
  ): CellFold {
    const names = also.map(({ partition, offset }) => [partition, offset])
    const amendments = this.amendments?.any && batch ? this.amendments : null
    amendments?.look()
    const name = JSON.stringify([view, upTo, gaps, names, lacking, amendments && batch])
    if (this.#memo?.name === name) return this.#memo.cells
    const cells = new CellFold(view)
    const version = batch?.messagesVersion ?? -1
    for (const block of this.blocks) {
      if (block.messages.form.dataset !== view.dataset) continue
      if (block.offset > offsetIn(upTo, block.partition)) continue
      if (lacking.some(({ partition, from, to }) => covers({ partition, from, to: to! }, block))) continue
      const suspect = this.isSuspect(block.partition, block.offset)
      if (suspect && !also.includes(block) && gaps.some((gap) => isMissing(gap, block))) continue
      const isAmended = amendments !== null && isInBatch(block, batch!)
      if (isAmended) addAmended(cells, amendments.apply(block.messages, block, version))
      else cells.addAll(block.messages)
    }
    for (const file of amendments?.imported(view.dataset, version) ?? [])
      addAmended(cells, amendments!.apply(file.messages, file, version))
    this.#memo = { name, cells }
    return cells
  }

  /** Suspect blocks at or below `upTo` that `gaps` name: an answer may hold each of them all the same. */
  doubtful(upTo: Position, gaps: readonly Gap[]): Block[] {
    return this.blocks.filter(
      (block) =>
        block.offset <= offsetIn(upTo, block.partition) &&
        this.isSuspect(block.partition, block.offset) &&
        gaps.some((gap) => isMissing(gap, block)),
    )
  }
}

/** Expired messages are counted as the definition had it by which they expired. */
function addAmended(cells: CellFold, { messages, expired }: Amended): void {
  cells.addAll(messages)
  for (const { views, messages: gone } of expired) {
    const frozen = new CellFold(views.find(({ name }) => name === cells.view.name)!)
    frozen.addAll(gone)
    cells.merge(frozen.cells())
  }
}

/** Whether a gap says that the block is missing as a whole; of a damaged file's blocks only what it held is. */
function isMissing(gap: Gap, block: Block): boolean {
  return covers(gap, block) && !gap.reason.startsWith('messages/')
}

export function covers(
  gap: Pick<Gap, 'partition' | 'from' | 'to'>,
  block: Pick<Block, 'partition' | 'offset'>,
): boolean {
  return gap.partition === block.partition && gap.from < block.offset && gap.to >= block.offset
}

function nameOf(partition: number, offset: number): string {
  return `${partition}/${offset}`
}

/** `agent/seq` of each message; the host of an unnumbered one, which its sender uses once. */
function messagesOf({ messages }: Block): string[] {
  return Array.from({ length: messages.length }, (_, i) => messageName(messageAt(messages, i)))
}

function messageName({ agent, seq, names }: Message): string {
  return agent === null ? names.at(-1)! : `${agent}/${seq}`
}

/** All of a message but its number, to compare. */
export function contentOf({ names, timeMs, gauges, attributes = [] }: Message): string {
  return JSON.stringify([names, timeMs, gauges, attributes])
}

/** The ways in which `stats` differs from the fold, in words; none when it is right. */
export function differences(expected: CellFold, range: Range, stats: Stats): string[] {
  const { view } = expected
  const total = totalOf(expected, stats.key, range)
  const messages = total.summary(stats.key)?.messages ?? 0
  const wrong: string[] = []
  const same = (what: string, got: unknown, want: unknown) => {
    if (got !== want) wrong.push(`${stats.key} ${what}: ${got} instead of ${want}`)
  }
  same('messages', stats.messages, messages)
  same('answered by', stats.answeredBy.batch + stats.answeredBy.realtime, messages)
  if (messages === 0) return wrong
  const want = answersOf(total.cells(), 0)
  for (const [g, answer] of stats.gauges.entries()) {
    for (const [i, { name }] of answerFields(view, g).entries()) {
      const [a, b] = [answer[i]!, want[g]![i]!]
      // Sums are those of doubles.
      const isSum = name === 'total' || name === 'mean'
      if (!isSum || a === null || b === null || !close(a as number, b as number))
        same(`${name} of ${view.gauges[g]!.gauge}`, a, b)
    }
  }
  return wrong
}

function totalOf(expected: CellFold, key: string, { fromMs, toMs }: Range): CellFold {
  const total = new CellFold(expected.view)
  total.merge(expected.range(key, fromMs, toMs), { bucketMs: WHOLE, key })
  return total
}

/** Messages of a key that a fold holds. */
export function countOf(expected: CellFold, key: string, range: Range): number {
  return totalOf(expected, key, range).summary(key)?.messages ?? 0
}

/** Ways in which merged cells differ from the fold, but for those that `excused` holds for. */
export function minuteDifferences(
  expected: CellFold,
  key: string,
  range: Range,
  cells: Cells,
  excused: (minuteMs: number) => boolean = () => false,
): string[] {
  const shown = (all: Cells) =>
    exactRows(all)
      .filter((_, i) => !excused(timesOf(all)[i]!))
      .map((row) => JSON.stringify(row))
  const [got, want] = [shown(cells), shown(expected.range(key, range.fromMs, range.toMs))]
  return got.join() === want.join() ? [] : [`${key} minutes: ${got} instead of ${want}`]
}

/** What of the rows is equal, whoever computed them: all but their totals. */
export function exactRows(cells: Cells): unknown[][] {
  const totals = new Set(cells.view.gauges.map(({ gauge }) => gauge))
  const isTotal = viewColumns(cells.view).map(({ name }) => totals.has(name))
  return Array.from({ length: cells.length }, (_, i) => [
    keyAt(cells, i),
    ...rowAt(cells, i).filter((_, c) => !isTotal[c]),
  ])
}

/** Totals are sums of doubles: equal to 1e-9 relative. */
export function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
}
