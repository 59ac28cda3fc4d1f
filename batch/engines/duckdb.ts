import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { DataFile, Table } from '../../lake/delta/port.ts'
import { hourStartMs, whollyWithin } from '../../lake/tables.ts'
import type { CellRow } from '../../schemas/cell.ts'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import { type Position, partitionsOf } from '../../schemas/position.ts'
import { HOUR_MS, type View } from '../../schemas/view.ts'
import { cellSelect, mapSql, reduceSql } from '../../schemas/view-sql.ts'
import { valuesToCell } from '../../schemas/view-table.ts'
import type { Engine, OpenEngine, Partial } from './engine.ts'

/** Memory that DuckDB takes before it spills to the scratch folder. */
const MEMORY_MAX = '1GB'

/** DuckDB in this process, on its own threads: the plan as the SQL derived from the view. */
export function duckdbEngine(scratchDir: string): OpenEngine {
  return async (view, messages) => {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_MAX,
      temp_directory: scratchDir,
      autoinstall_known_extensions: 'false',
    })
    const connection = await instance.connect()
    await connection.run("SET TimeZone = 'UTC'")
    return new Duckdb(view, messages, connection, () => instance.closeSync())
  }
}

class Duckdb implements Engine {
  readonly #view: View
  readonly #messages: Table
  readonly #connection: DuckDBConnection
  readonly #release: () => void
  #made = 0

  constructor(view: View, messages: Table, connection: DuckDBConnection, release: () => void) {
    this.#view = view
    this.#messages = messages
    this.#connection = connection
    this.#release = release
  }

  async map(files: readonly DataFile[], hours: readonly string[], upTo: Position): Promise<Partial> {
    const paths = await Promise.all(files.map((file) => this.#messages.localPath(file)))
    const source = `read_parquet([${paths.map(text).join(', ')}])`
    const within = files.every((file) => whollyWithin(file, upTo))
    const conditions = [hoursCondition(hours), ...(within ? [] : [positionCondition(upTo)])]
    const name = this.#made++
    await this.#run(
      `CREATE TEMP TABLE part_${name} AS ${mapSql(this.#view, source, conditions.join(' AND '))}`,
    )
    return { engine: 'duckdb', name }
  }

  async reduce(partials: readonly Partial[]): Promise<CellRow[]> {
    if (partials.length === 0) return []
    const tables = partials.map(({ name }) => `part_${name}`)
    const reader = await this.#run(cellSelect(this.#view, reduceSql(this.#view, tables)))
    const columns = reader.getColumnsJS() as (string | number)[][]
    // Without rows there are no columns either.
    const rows = (columns[0] ?? []).map((_, i) =>
      valuesToCell(
        this.#view,
        columns.map((column) => column[i]!),
      ),
    )
    for (const table of tables) await this.#run(`DROP TABLE ${table}`)
    return rows
  }

  async #run(sql: string) {
    try {
      return await this.#connection.runAndReadAll(sql)
    } catch (error) {
      throw new TidemarkError('E_ENGINE', `duckdb: ${describeError(error)}`, { cause: error })
    }
  }

  async close(): Promise<void> {
    this.#connection.interrupt()
    this.#connection.closeSync()
    this.#release()
  }
}

function hoursCondition(hours: readonly string[]): string {
  if (hours.length === 24) return 'true'
  const numbers = hours.map((hour) => hourStartMs(hour) / HOUR_MS)
  return `epoch_ms(time_stamp) // ${HOUR_MS} IN (${numbers.join(', ')})`
}

/** Rows at or below a position; imported rows always are. */
function positionCondition(upTo: Position): string {
  const parts = partitionsOf(upTo).map(
    (partition) => `("partition" = ${partition} AND "offset" <= ${upTo[partition]})`,
  )
  return `("partition" < 0 OR ${parts.join(' OR ') || 'false'})`
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
