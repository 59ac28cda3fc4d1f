import { type Cell, figures, type Gauge, type Newest } from '../api/types.ts'

/** How a cell moved: when it changed last, and the newest values, one a change. */
export interface Move {
  readonly changedMs: number
  readonly values: readonly number[]
}

/** Changes that a line is drawn of: a minute of two a second. */
const VALUES_MAX = 120

/** Follows how cells move from one look to the next. */
export class Moves {
  readonly #gauge: Gauge
  readonly #moves = new Map<string, Move>()
  #before: Newest | null = null
  /** Messages that came with the last look. */
  arrived = 0

  constructor(gauge: Gauge) {
    this.#gauge = gauge
  }

  of(id: string): Move | undefined {
    return this.#moves.get(id)
  }

  /** Looks at the newest cells. What is there at the first look has not moved. */
  look(newest: Newest, nowMs: number): void {
    const before = this.#before
    if (newest === before || newest.size === 0) return
    this.#before = newest
    this.arrived = 0
    if (before === null) return
    for (const [id, cell] of newest) {
      const old = before.get(id)
      const isSame = old?.time_stamp === cell.time_stamp
      const arrived = cell.messages - (isSame ? old!.messages : 0)
      if (arrived === 0) continue
      this.arrived += Math.max(0, arrived)
      const value = newestValue(this.#gauge, cell, isSame ? old! : null)
      const values = [...(this.#moves.get(id)?.values ?? []), ...(value === null ? [] : [value])]
      this.#moves.set(id, { changedMs: nowMs, values: values.slice(-VALUES_MAX) })
    }
  }
}

/** The mean of what came between two states of a cell; of an optional gauge, whose count is not told, the mean of the cell. */
function newestValue({ name, optional }: Gauge, cell: Cell, old: Cell | null): number | null {
  const { mean } = figures(cell, name)
  if (typeof mean !== 'number') return null
  const before = old === null ? null : figures(old, name).mean
  if (old === null || optional || typeof before !== 'number' || cell.messages <= old.messages) return mean
  return (mean * cell.messages - before * old.messages) / (cell.messages - old.messages)
}
