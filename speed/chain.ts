import { LOST } from '../lake/tables/repeat-states.ts'
import type { Batch } from '../log/block-batches.ts'
import type { Repeats } from '../log/repeats.ts'
import type { Block } from '../schemas/block.ts'
import { CellFold } from '../schemas/cell-fold.ts'
import { isError } from '../schemas/errors.ts'
import type { OpenPart } from '../schemas/ports/layers.ts'
import { type Gap, mergeGaps, withGap } from '../schemas/position.ts'
import type { View } from '../schemas/view.ts'

/**
 * The cells that speed holds of one (definition, partition), as consecutive parts:
 *
 *     … ─┤ part (a, b] ├─┤ part (b, c] ├─┤ open part (c, readTo] ├─▶ folding
 *         committed       committed        not committed
 *
 * A tick commits everything after `committedTo`. Committed parts are kept until the serving index holds
 * them, so that at every instant some part continues exactly where the index ends.
 */
export interface Part {
  readonly from: number
  to: number
  /** Log time at `to`. */
  toMs: number
  readonly cells: CellFold
  gaps: readonly Gap[]
}

/** What a tick commits: blocks `(from, to]`, folded part by part. */
export interface Frozen extends Pick<Part, 'from' | 'to' | 'toMs' | 'gaps'> {
  readonly folds: readonly CellFold[]
}

/** Committed parts kept for an index that does not follow; the oldest go first. */
const PARTS_MAX = 256

/** A part that has so many cells is ended. */
const PART_CELLS_MAX = 16_000
/** The next one, likely to be as full, has room for the cells of a turn more: to grow would copy them all while everything waits. */
const PART_ROOM = PART_CELLS_MAX + 4_000

export class Chain {
  readonly view: View
  readonly hash: string
  readonly partition: number
  /** What is known of repeats at `readTo`; null where the log holds none. */
  repeats: Repeats | null = null
  /** When all that the log held had been read, milliseconds since 1970; null when never. */
  atEndMs: number | null = null
  #parts: Part[]
  #committedTo: number

  /** A chain whose ticks are committed up to `from`. */
  constructor(view: View, hash: string, partition: number, from: number, fromMs: number) {
    this.view = view
    this.hash = hash
    this.partition = partition
    this.#committedTo = from
    this.#parts = [this.#emptyPart(from, fromMs)]
  }

  get committedTo(): number {
    return this.#committedTo
  }

  get readTo(): number {
    return this.#open.to
  }

  /** Log time at `readTo`, 0 when not known. */
  get readToMs(): number {
    return this.#open.toMs
  }

  /** Cells not yet committed. */
  get openCells(): number {
    return this.#uncommitted().reduce((sum, part) => sum + part.cells.size, 0)
  }

  /** A turn of messages is added next. */
  begin(): void {
    if (this.#open.cells.size >= PART_CELLS_MAX)
      this.#parts.push(this.#emptyPart(this.readTo, this.readToMs, PART_ROOM))
  }

  /** Folds a batch of blocks; those of it that do not have the view's columns are damage. */
  add({ first, last, messages }: Batch): void {
    try {
      if ('damage' in messages) this.#addDamage(first, last, messages.damage)
      else if (messages.form.dataset === this.view.dataset) this.#open.cells.addAll(messages)
    } catch (error) {
      if (!isError(error, 'E_COLUMNS')) throw error
      this.#addDamage(first, last, error.message)
    }
  }

  #addDamage(first: Block, last: Block, reason: string): void {
    const { partition } = first
    const range = { from: first.offset - 1, to: last.offset, fromMs: first.logTimeMs, toMs: last.logTimeMs }
    this.addGaps([{ partition, ...range, reason }])
  }

  /** Everything of the log up to `to` was added, beside `gaps`. */
  advance(gaps: readonly Gap[], to: number, toMs: number): void {
    const { partition } = this
    const { to: from, toMs: fromMs } = this.#open
    this.#open.to = to
    this.#open.toMs = toMs
    if (this.repeats?.isBegunAnew && to > from)
      this.#open.gaps = withGap(this.#open.gaps, { partition, from, to, fromMs, toMs, reason: LOST })
    this.addGaps(gaps)
  }

  addGaps(gaps: readonly Gap[]): void {
    if (gaps.length > 0) this.#open.gaps = mergeGaps(this.#open.gaps, gaps)
  }

  /**
   * Ends the open part and returns what a tick would commit now: of `(committedTo, readTo]` as many parts as together have no
   * more than `cellsMax` cells, but one at least, and all up to `atLeast`. Null when that is empty.
   */
  freeze(atLeast = -1, cellsMax = Number.POSITIVE_INFINITY): Frozen | null {
    const parts: Part[] = []
    let size = 0
    for (const part of this.#uncommitted().filter((one) => one.to > one.from)) {
      size += part.cells.size
      if (parts.length > 0 && size > cellsMax && parts.at(-1)!.to >= atLeast) break
      parts.push(part)
    }
    const last = parts.at(-1)
    if (last === undefined) return null
    if (last === this.#open) this.#parts.push(this.#emptyPart(last.to, last.toMs))
    const gaps = mergeGaps(...parts.map((part) => part.gaps))
    const folds = parts.map(({ cells }) => cells)
    return { from: this.#committedTo, to: last.to, toMs: last.toMs, folds, gaps }
  }

  /** A tick up to `to` is in the lake. */
  committed(to: number): void {
    this.#committedTo = to
    while (this.#parts.length > PARTS_MAX && this.#parts[0]!.to <= to) this.#parts.shift()
  }

  /**
   * Everything held after `from`; null when no part begins there. Parts that end at or below `from` are let go:
   * a reader that asks from here holds them.
   */
  openFrom(from: number): OpenPart | null {
    const first = this.#parts.findIndex((part) => part.from === from)
    if (first < 0) return null
    let held = 0
    while (held < first && this.#parts[held]!.to <= this.#committedTo) held++
    this.#parts.splice(0, held)
    const parts = this.#parts.slice(first - held)
    return {
      to: this.readTo,
      gaps: mergeGaps(...parts.map((part) => part.gaps)),
      cells: (keys, fromMs, toMs) => parts.map((part) => part.cells.range(keys, fromMs, toMs)),
      *keys() {
        for (const part of parts) yield* part.cells.keys()
      },
      summaries: (key) => parts.map((part) => part.cells.summary(key)).filter((summary) => summary !== null),
    }
  }

  get #open(): Part {
    return this.#parts.at(-1)!
  }

  #uncommitted(): Part[] {
    return this.#parts.filter((part) => part.from >= this.#committedTo)
  }

  #emptyPart(from: number, fromMs: number, room = 0): Part {
    return { from, to: from, toMs: fromMs, cells: new CellFold(this.view, room), gaps: [] }
  }
}
