import type { Block } from '../schemas/block.ts'
import type { Columns } from '../schemas/message.ts'
import type { StringColumn } from '../schemas/string-column.ts'
import type { LogSlice } from './port.ts'
import type { Repeats } from './repeats.ts'

/** A block and which of its rows count; null: all. */
export interface Accepted {
  readonly block: Block
  readonly rows: Uint16Array | null
}

/**
 * The blocks of what was read of which anything counts, in order, added to `repeats`; all of them where the log holds no repeats
 * (null).
 */
export function acceptAll(
  repeats: Repeats | null,
  { blocks, gaps }: Pick<LogSlice, 'blocks' | 'gaps'>,
): Accepted[] {
  if (repeats === null) return blocks.map((block) => ({ block, rows: null }))
  if (gaps.length > 0) repeats.missed()
  const accepted: Accepted[] = []
  for (const block of blocks) {
    const rows = repeats.accept(block)
    if (rows === null || rows.length > 0) accepted.push({ block, rows })
  }
  return accepted
}

/** The block with those rows of it that count. */
export function countedBlock({ block, rows }: Accepted): Block {
  if (rows === null) return block
  const { partition, offset, logTimeMs } = block
  return { partition, offset, logTimeMs, messages: pickRows(block.messages, rows) }
}

/** The rows of `columns` whose numbers are in `rows`. */
export function pickRows(columns: Columns, rows: Uint16Array): Columns {
  const doubles = (values: Float64Array) => Float64Array.from(rows, (i) => values[i]!)
  const texts = <T extends string | null>({ dictionary, places }: StringColumn<T>): StringColumn<T> => {
    return {
      dictionary,
      places: places instanceof Uint16Array ? picked16(places, rows) : picked32(places, rows),
    }
  }
  return {
    form: columns.form,
    length: rows.length,
    names: columns.names.map(texts),
    attributes: columns.attributes.map(texts),
    agent: texts(columns.agent),
    seq: doubles(columns.seq),
    timeMs: doubles(columns.timeMs),
    gauges: columns.gauges.map(doubles),
  }
}

const picked16 = (places: Uint16Array, rows: Uint16Array) => Uint16Array.from(rows, (i) => places[i]!)
const picked32 = (places: Uint32Array, rows: Uint16Array) => Uint32Array.from(rows, (i) => places[i]!)
