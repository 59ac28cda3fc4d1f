import type { Dataset } from '../../schemas/dataset.ts'
import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { CORRECTIONS_MAX, type Correction } from '../correct.ts'
import type { DataFile, Snapshot, Table } from '../delta/port.ts'
import type { ImportFile, ImportSource } from './columns.ts'
import { ImportEngine, type Scratch } from './engine.ts'
import { isGuessed, type Meaning, meaningOf } from './meaning.ts'
import type { ImportOptions } from './named-column.ts'
import { rowsOf } from './source.ts'
import { ImportStage, type Staged } from './stage.ts'
import { unreadable } from './unreadable.ts'

/**
 * Imports of history bypass the log. A file is one commit of the table of messages: its rows stand in partition −1, at an offset
 * of its own, in the order of the file. They count once the run that follows has published.
 *
 *     file ──read──▶ staged rows by date, refused apart ──▶ a data file a date ──commit──▶ messages
 *                                                                        txn import/<sha256 of the file>   taken once
 *                                                                        txn import                        offset, compare-and-set
 *
 * A Parquet file in which the rows of a date lie together is not staged: its rows are read where they lie.
 */

/** How far ahead of the clock a time stamp may be. */
const AHEAD_MS = 600_000
/** Rows shown before anything is written. */
const FIRST_ROWS = 5
/** Times that another import was first. */
const TRIES_MAX = 10
/** The counter of imports, from which each takes its offset. */
const COUNTER = 'import'

export interface ImportDeps {
  readonly dataset: Dataset
  readonly messages: Table
  readonly clock: Clock
  readonly scratch: Scratch
  /** A folder of its own. */
  readonly dir: string
  readonly signal: AbortSignal
  /** Hears now and then which share of the file is read, from 0 to 1. */
  reading?(share: number): void
}

/** What is about to happen to a file: shown before anything is written. */
export interface ImportPreview {
  readonly source: ImportSource
  readonly meaning: Meaning
  readonly isGuessed: boolean
  readonly staged: Staged
  /** Names, time in milliseconds, gauges. */
  readonly firstRows: readonly (readonly (string | number | null)[])[]
  /** Gauges in percent of which no accepted row has more than 1, so that they may be fractions. */
  readonly fractions: readonly string[]
}

/** One file on its way into the lake. */
export class Importing {
  readonly #file: ImportFile
  readonly #deps: ImportDeps
  readonly #engine: ImportEngine
  readonly #stage: ImportStage
  readonly preview: ImportPreview

  private constructor(
    file: ImportFile,
    deps: ImportDeps,
    { engine, stage, preview }: { engine: ImportEngine; stage: ImportStage; preview: ImportPreview },
  ) {
    this.#file = file
    this.#deps = deps
    this.#engine = engine
    this.#stage = stage
    this.preview = preview
  }

  /** Reads the whole file; nothing is written to the lake. Throws `E_USAGE` where it is not clear what its columns are. */
  static async read(file: ImportFile, options: ImportOptions, deps: ImportDeps): Promise<Importing> {
    const { dataset, clock } = deps
    const engine = await ImportEngine.open(deps)
    try {
      const { path, source } = await rowsOf(file, options, dataset, engine)
      const meaning = meaningOf(source, dataset, options)
      const nowMs = clock.nowMs() + AHEAD_MS
      const how = { dataset, meaning, zone: options.zone, nowMs }
      const stage = await ImportStage.read(engine, path, source, how)
      const { staged } = stage
      const firstRows = staged.accepted === 0 ? [] : await stage.firstRows(FIRST_ROWS)
      const fractions = mayBeFractions(firstRows, dataset) ? await stage.fractions(meaning) : []
      const preview = { source, meaning, isGuessed: isGuessed(meaning), staged, firstRows, fractions }
      return new Importing(file, deps, { engine, stage, preview })
    } catch (error) {
      await engine.close()
      throw unreadable(file, error)
    }
  }

  /** Writes what was refused of the file as CSV to `path`. */
  async keepRefused(path: string): Promise<void> {
    await this.#stage.keepRefused(path)
  }

  /** The accepted rows as corrections. Throws `E_USAGE` when there are more than one file may have. */
  async corrections(): Promise<Correction[]> {
    const corrections = await this.#stage.corrections(this.preview.meaning)
    if (corrections.length <= CORRECTIONS_MAX) return corrections
    const max = CORRECTIONS_MAX.toLocaleString('en')
    throw new TidemarkError('E_USAGE', `${this.#file.name} has more than ${max} corrections; divide it`)
  }

  /** Commits the accepted rows; `tell` hears of each date that is written. False when the file is in the lake already. */
  async commit(tell: (done: number, total: number) => void): Promise<boolean> {
    const { messages, signal } = this.#deps
    const { dates, accepted } = this.preview.staged
    for (let tries = 1; ; tries++) {
      const base = (await messages.snapshot()) as Snapshot
      if (isImported(base, this.#file.sha256)) return false
      const offset = (base.txns.get(COUNTER)?.version ?? -1) + 1
      const files: DataFile[] = []
      for (const [done, date] of dates.entries()) {
        signal.throwIfAborted()
        tell(done, dates.length)
        const { bytes, about } = await this.#stage.dateFile(date, offset)
        files.push(await messages.writeFile(bytes, about))
      }
      signal.throwIfAborted()
      if (files.reduce((sum, { rows }) => sum + rows, 0) !== accepted)
        throw new TidemarkError(
          'E_USAGE',
          `${this.#file.name} has changed while it was read; import it again`,
        )
      try {
        await this.#commit(base, files, offset)
        return true
      } catch (error) {
        if (!isError(error, 'E_CONFLICT') || tries === TRIES_MAX) throw error
      }
    }
  }

  async #commit(base: Snapshot, add: readonly DataFile[], offset: number): Promise<void> {
    const { messages, clock } = this.#deps
    const lastUpdatedMs = clock.nowMs()
    const { name, sha256 } = this.#file
    const { accepted } = this.preview.staged
    await messages.commit(base, {
      operation: 'IMPORT',
      add,
      dataChange: true,
      txns: {
        [COUNTER]: { version: offset, lastUpdatedMs },
        [importApp(sha256)]: { version: accepted, lastUpdatedMs },
      },
      info: { file: name, sha256, rows: accepted },
    })
  }

  async close(): Promise<void> {
    await this.#engine.close()
  }
}

/** Whether there is a gauge of which no first row has more than 1: only then all rows need be looked at. */
function mayBeFractions(firstRows: ImportPreview['firstRows'], { gauges }: Dataset): boolean {
  return gauges.some((_, i) => firstRows.every((row) => !(Number(row.at(i - gauges.length)) > 1)))
}

const importApp = (sha256: string) => `import/${sha256}`

/** Whether the file of that content is in the lake. */
export function isImported(messages: Snapshot | null, sha256: string): boolean {
  return messages?.txns.has(importApp(sha256)) ?? false
}
