import type { DuckDBListValue, DuckDBListVector, DuckDBStructVector } from '@duckdb/node-api'
import { type DuckDBConnection, DuckDBInstance, type DuckDBVector } from '@duckdb/node-api'
import type { CellColumn, SketchColumn, TextColumn } from '../../schemas/cell-column.ts'
import type { Cells } from '../../schemas/cells.ts'
import { grown } from '../../schemas/grown.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import type { View } from '../../schemas/view.ts'
import { type ViewColumn, viewColumns } from '../../schemas/view-columns.ts'
import { decodeCells } from './cells.ts'

/** Files from so many bytes on are worth DuckDB's while. */
export const BULK_BYTES = 32 << 10
const MEMORY_MAX = '256MB'

/** Decodes files of cells, large ones with DuckDB: straight into typed columns, without an object a value. */
export interface BulkCells {
  /** As `decodeCells`. */
  decode(view: View, bytes: Uint8Array): Promise<Cells>
  /** How many it decoded in bulk. */
  readonly files: number
  close(): Promise<void>
}

/** DuckDB reads files only: each is written to `scratchPath`, which is this reader's own, and removed again. */
export function bulkCells(scratchPath: string, disk: Disk): BulkCells {
  let instance: DuckDBInstance | null = null
  let files = 0

  async function read(view: View, bytes: Uint8Array): Promise<Cells> {
    // One thread: the other cores are for questions and senders meanwhile.
    instance ??= await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_MAX,
      threads: '1',
      autoinstall_known_extensions: 'false',
      enable_external_file_cache: 'false',
    })
    const connection = await instance.connect()
    try {
      await write(bytes)
      return await readAll(connection, view, `read_parquet(${duckdb.text(scratchPath)})`)
    } finally {
      connection.closeSync()
      await disk.remove(scratchPath)
    }
  }

  async function write(bytes: Uint8Array): Promise<void> {
    await disk.remove(scratchPath)
    const file = await disk.open(scratchPath, { create: true })
    try {
      await file.write(0, bytes)
    } finally {
      await file.close()
    }
  }

  return {
    async decode(view, bytes) {
      if (bytes.length < BULK_BYTES) return decodeCells(view, bytes)
      try {
        const cells = await read(view, bytes)
        files += 1
        return cells
      } catch {
        // A file that the other cannot read either says why by itself.
        return decodeCells(view, bytes)
      }
    },
    get files() {
      return files
    },
    async close() {
      instance?.closeSync()
      instance = null
    },
  }
}

async function readAll(connection: DuckDBConnection, view: View, relation: string): Promise<Cells> {
  const columns = viewColumns(view)
  const texts = columns.flatMap(({ name, type }) => (type === 'string' ? [name] : []))
  const { rows, dictionaries } = await numberTexts(connection, texts, relation)
  const selected = columns.map(expressionOf).join(', ')
  const result = await connection.stream(`SELECT ${selected} FROM ${relation}`)
  const drafts = columns.map(({ type }) =>
    type === 'sketch' ? new SketchDraft(rows) : new NumberDraft(rows),
  )
  let length = 0
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; ) {
    for (const [c, draft] of drafts.entries()) draft.add(chunk.getColumnVector(c), length, chunk.rowCount)
    length += chunk.rowCount
    chunk = await result.fetchChunk()
  }
  const made = columns.map(({ name, type }, c): CellColumn => {
    const draft = drafts[c]!
    if (draft instanceof SketchDraft) return draft.take()
    const { values } = draft
    if (type !== 'string') return { type: type as 'double' | 'long' | 'timestamp', values }
    return {
      type,
      values: { dictionary: dictionaries.get(name)!, places: new Uint32Array(values) },
    } satisfies TextColumn
  })
  return { view, length, columns: made }
}

const typeOf = (column: string) => duckdb.name(`texts of ${column}`)

/** Makes an enumeration of the strings of each column, whose numbers come instead of them; they, by number, null the last. */
async function numberTexts(connection: DuckDBConnection, names: readonly string[], relation: string) {
  const lists = names.map((name) => {
    const column = duckdb.name(name)
    return `, list_sort(list(DISTINCT ${column}) FILTER (WHERE ${column} IS NOT NULL))`
  })
  const found = await connection.runAndReadAll(`SELECT count(*)::DOUBLE${lists.join('')} FROM ${relation}`)
  const [[rows, ...all]] = found.getRows() as [[number, ...(DuckDBListValue | null)[]]]
  const dictionaries = new Map<string, readonly (string | null)[]>()
  for (const [i, name] of names.entries()) {
    const values = (all[i]?.items ?? []) as readonly string[]
    const listed = values.map(duckdb.text).join(', ')
    await connection.run(`CREATE OR REPLACE TEMP TYPE ${typeOf(name)} AS ENUM (${listed})`)
    dictionaries.set(name, [...values, null])
  }
  return { rows, dictionaries }
}

/** Numbers of strings, doubles, and lists as they are; a value that is not there is NaN, of a string the number behind the last. */
function expressionOf({ name, type }: ViewColumn): string {
  const column = duckdb.name(name)
  if (type === 'sketch') return column
  if (type === 'string')
    return `coalesce(enum_code(${column}::${typeOf(name)}), len(enum_range(NULL::${typeOf(name)})))::DOUBLE`
  const number = type === 'timestamp' ? `epoch_ms(${column})` : column
  return `coalesce(${number}::DOUBLE, 'NaN'::DOUBLE)`
}

/**
 * What a vector holds, as it lies in memory. To ask it for one item after the other makes a number of each that takes memory, of whole
 * numbers of 64 bits even two: half of all garbage of an index that is made anew.
 */
const itemsOf = <T>(vector: DuckDBVector) => (vector as unknown as { readonly items: T }).items

/** Whole numbers of 64 bits, each as its lower and its upper half. */
const halvesOf = ({ buffer, byteOffset, length }: BigInt64Array | BigUint64Array) =>
  new Uint32Array(buffer, byteOffset, 2 * length)

/** A column of numbers, chunk by chunk. */
class NumberDraft {
  readonly values: Float64Array

  constructor(rows: number) {
    this.values = new Float64Array(rows)
  }

  add(vector: DuckDBVector, at: number, rows: number): void {
    this.values.set(itemsOf<Float64Array>(vector).subarray(0, rows), at)
  }
}

/** A column of sketches, chunk by chunk. */
class SketchDraft {
  readonly #offsets: Uint32Array
  #buckets: Int32Array
  #counts: Float64Array

  constructor(rows: number) {
    this.#offsets = new Uint32Array(rows + 1)
    // A row has one at least, or no value.
    this.#buckets = new Int32Array(rows)
    this.#counts = new Float64Array(rows)
  }

  add(vector: DuckDBVector, at: number, rows: number): void {
    const lists = vector as DuckDBListVector
    const pairs = lists.childVector as DuckDBStructVector
    // Of each row where its pairs begin, and how many there are.
    const entries = halvesOf((lists as unknown as { readonly entryData: BigUint64Array }).entryData)
    const buckets = itemsOf<Int32Array>(pairs.entryVectorAt(0))
    const counts = halvesOf(itemsOf<BigInt64Array>(pairs.entryVectorAt(1)))
    let end = this.#offsets[at]!
    for (let i = 0; i < rows; i++) {
      const [from, length] = [entries[4 * i]!, entries[4 * i + 2]!]
      while (this.#buckets.length < end + length) {
        this.#buckets = grown(this.#buckets)
        this.#counts = grown(this.#counts)
      }
      for (let pair = from; pair < from + length; pair++) {
        this.#buckets[end] = buckets[pair]!
        this.#counts[end++] = counts[2 * pair]! + counts[2 * pair + 1]! * 2 ** 32
      }
      this.#offsets[at + i + 1] = end
    }
  }

  take(): SketchColumn {
    const pairs = this.#offsets.at(-1)!
    return {
      type: 'sketch',
      offsets: this.#offsets,
      buckets: this.#buckets.slice(0, pairs),
      counts: this.#counts.slice(0, pairs),
    }
  }
}
