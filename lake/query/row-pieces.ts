import type { DuckDBResult } from '@duckdb/node-api'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Piece } from './process.ts'
import { toQueryValue } from './values.ts'

/** Rows are given away in pieces of about so many characters of JSON. */
const PIECE_CHARACTERS = 256 << 10
/** The largest row of an answer: whoever asked has to hold it in one piece. */
const ROW_CHARACTERS_MAX = 16 << 20

/** After so many the memory of the chunks that they came from is given back. */
const FREE_CHARACTERS = 16 << 20

type Chunk = Awaited<ReturnType<DuckDBResult['fetchChunk']>>

/** The rows of a result, as far as they are asked for. */
export class RowPieces {
  readonly #result: DuckDBResult
  readonly #freeMemory: () => void
  #left: number
  #unfreed = 0
  #chunk: Chunk = null
  /** The next row of the chunk. */
  #row = 0

  constructor(result: DuckDBResult, rowsMax: number, freeMemory: () => void) {
    this.#result = result
    this.#freeMemory = freeMemory
    this.#left = rowsMax
  }

  async next(): Promise<Piece> {
    const rows: string[] = []
    for (let characters = 0; characters < PIECE_CHARACTERS; ) {
      if (!(await this.#hasRow())) return piece(rows, { isLast: true })
      if (this.#left === 0) return piece(rows, { isLast: true, isCut: true })
      const row = rowText(this.#chunk!, this.#row)
      rows.push(row)
      characters += row.length
      this.#unfreed += row.length
      this.#row += 1
      this.#left -= 1
    }
    return piece(rows, {})
  }

  async #hasRow(): Promise<boolean> {
    if (this.#chunk !== null && this.#row < this.#chunk.rowCount) return true
    this.#chunk = null
    if (this.#unfreed > FREE_CHARACTERS) {
      this.#freeMemory()
      this.#unfreed = 0
    }
    this.#chunk = await this.#result.fetchChunk()
    this.#row = 0
    return this.#chunk !== null && this.#chunk.rowCount > 0
  }
}

function piece(rows: readonly string[], { isLast = false, isCut = false }): Piece {
  return { rows: `[${rows.join(',')}]`, isLast, isCut }
}

function rowText(chunk: NonNullable<Chunk>, row: number): string {
  let text: string
  try {
    text = JSON.stringify(chunk.convertRowValues(row, toQueryValue))
  } catch (error) {
    // A text longer than V8 has any.
    if (error instanceof RangeError || /string longer than/.test(String(error))) throw tooLong()
    throw error
  }
  if (text.length > ROW_CHARACTERS_MAX) throw tooLong()
  return text
}

function tooLong(): TidemarkError {
  return new TidemarkError('E_QUERY_LIMIT', 'a row of the answer has more than 16 MiB')
}
