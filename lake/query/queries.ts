import { TidemarkError } from '../../schemas/errors.ts'
import type { QueryTable, ReadTable } from './catalog.ts'
import type { Relation } from './process.ts'
import type { QueryAnswer, QueryDeps, QueryLimits, QueryRequest } from './query-types.ts'
import { Running } from './running.ts'
import type { QueryValue } from './values.ts'

/** Queries at work at once; a further one is refused. */
const QUERIES_MAX = 2

/**
 * SQL over the lake's tables, for people. DuckDB runs it in a process of its own (process.ts) that can do nothing else:
 *
 *     the tables that the query names ──▶ their files at one version ──▶ views over exactly these
 *     no other file, no network, no extension, no setting can be changed ──▶ one SELECT ──▶ rows, as long as the limits allow
 *
 * Files are verified before, but not where DuckDB reads a bucket itself (`QueryDeps.reads`). A statement other than SELECT is refused before it runs: a COPY could else write over a file of the lake.
 */
export class LakeQueries {
  readonly #tables: readonly QueryTable[]
  readonly #limits: QueryLimits
  readonly #deps: QueryDeps
  #running = 0

  constructor(tables: readonly QueryTable[], limits: QueryLimits, deps: QueryDeps) {
    this.#tables = tables
    this.#limits = limits
    this.#deps = deps
  }

  get limits(): QueryLimits {
    return this.#limits
  }

  /**
   * Runs a query until its first rows are there. Throws `E_QUERY` for one that is wrong or would do more than read, `E_QUERY_LIMIT`
   * beyond a limit, and what reading the tables throws. `signal` ends it.
   */
  async run(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    const running = await this.#begin(signal)
    return await running.only(() => running.answer(request, this.#tables))
  }

  /** The same, with the rows in a Parquet file at `path`, which is there only if it went well. Returns what was read, and whether rows were cut off. */
  async writeParquet(
    request: QueryRequest,
    path: string,
    signal: AbortSignal,
  ): Promise<{ tables: readonly ReadTable[]; isCut: boolean }> {
    return this.#whole(signal, (running) => running.writeParquet(request, this.#tables), path)
  }

  /**
   * Runs `statements` of this program's own, after `first`, over relations of verified files, which they name. Returns the rows of
   * each. Throws as `run` does.
   */
  async runOver(
    relations: readonly Relation[],
    first: string,
    statements: readonly string[],
    signal: AbortSignal,
  ): Promise<QueryValue[][][]> {
    return this.#whole(signal, (running) => running.runOver({ relations, first, statements }))
  }

  /** What `work` of one query comes to, which is over then. */
  async #whole<T>(
    signal: AbortSignal,
    work: (running: Running) => Promise<T>,
    output: string | null = null,
  ): Promise<T> {
    const running = await this.#begin(signal, output)
    const done = await running.only(() => work(running))
    await running[Symbol.asyncDispose]()
    return done
  }

  async #begin(signal: AbortSignal, output: string | null = null): Promise<Running> {
    if (this.#running >= QUERIES_MAX)
      throw new TidemarkError('E_QUERY_LIMIT', `${QUERIES_MAX} queries are at work already`)
    this.#running += 1
    const done = () => {
      this.#running -= 1
    }
    return Running.start(this.#limits, this.#deps, { signal, output, done })
  }
}
