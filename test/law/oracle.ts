import type { Block } from '../../schemas/block.ts'
import { CellMap, type CellRow, emptyCell, mergeInto } from '../../schemas/cell.ts'
import { offsetIn, type Position } from '../../schemas/position.ts'
import type { View } from '../../schemas/view.ts'
import type { Range, Stats } from '../../serving/answers.ts'

/**
 * What every answer must equal: one plain fold over the accepted messages at or below a position. It keeps every
 * block it ever saw become durable, for ever, and shares nothing with the layers but the cell.
 */
export class Oracle {
  readonly blocks: Block[] = []
  #seen = new Set<string>()

  record(block: Block): void {
    const name = `${block.partition}/${block.offset}`
    if (this.#seen.has(name)) throw new Error(`block ${name} became durable twice`)
    this.#seen.add(name)
    this.blocks.push(block)
  }

  has(partition: number, offset: number): boolean {
    return this.#seen.has(`${partition}/${offset}`)
  }

  /** A block that was damaged: no answer can hold it. */
  forget(partition: number, offset: number): void {
    const at = this.blocks.findIndex((block) => block.partition === partition && block.offset === offset)
    this.blocks.splice(at, 1)
  }

  /** Every numbered message accepted, as `agent/seq`; throws when one was accepted twice. */
  numbered(): Set<string> {
    const all = new Set<string>()
    for (const { messages } of this.blocks) {
      for (let i = 0; i < messages.length; i++) {
        if (messages.seq[i] === null) continue
        const name = `${messages.agent[i]}/${messages.seq[i]}`
        if (all.has(name)) throw new Error(`message ${name} was accepted twice`)
        all.add(name)
      }
    }
    return all
  }

  cells(view: View, upTo: Position): CellMap {
    const cells = new CellMap(view)
    for (const block of this.blocks) {
      if (block.offset <= offsetIn(upTo, block.partition)) cells.addAll(block.messages)
    }
    return cells
  }
}

/** The ways in which `stats` differs from the fold, in words; none when it is right. */
export function differences(expected: CellMap, range: Range, stats: Stats): string[] {
  const cell = emptyCell(expected.view)
  for (const row of expected.range(stats.key, range.fromMs, range.toMs)) mergeInto(cell, row.cell)
  const wrong: string[] = []
  const same = (what: string, got: unknown, want: unknown) => {
    if (got !== want) wrong.push(`${stats.key} ${what}: ${got} instead of ${want}`)
  }
  same('messages', stats.messages, cell.messages)
  same('answered by', stats.answeredBy.batch + stats.answeredBy.realtime, cell.messages)
  stats.gauges.forEach((gauge, g) => {
    const name = expected.view.gauges[g]!.gauge
    if (!close(gauge.total, cell.total[g]!)) same(`total ${name}`, gauge.total, cell.total[g])
    if (cell.messages === 0) return
    same(`max ${name}`, gauge.max, cell.max[g])
    same(`max time ${name}`, gauge.maxTimeMs, cell.maxTimeMs[g])
    same(`max host ${name}`, gauge.maxHost, cell.maxHost[g])
  })
  return wrong
}

/** Ways in which merged minutes differ from the fold. */
export function minuteDifferences(expected: CellMap, key: string, range: Range, rows: CellRow[]): string[] {
  const show = (row: CellRow) => JSON.stringify(exactPart(row))
  const want = [...expected.range(key, range.fromMs, range.toMs)].sort((a, b) => a.minuteMs - b.minuteMs)
  if (rows.map(show).join() === want.map(show).join()) return []
  return [`${key} minutes: ${rows.map(show)} instead of ${want.map(show)}`]
}

/** What of a cell is equal, whoever computed it: all but its totals. */
export function exactPart({ key, minuteMs, cell }: CellRow): unknown[] {
  return [key, minuteMs, cell.messages, cell.max, cell.maxTimeMs, cell.maxHost]
}

/** Totals are sums of doubles: equal to 1e-9 relative. */
export function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
}
