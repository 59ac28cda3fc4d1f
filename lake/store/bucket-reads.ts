import type { DuckDBConnection } from '@duckdb/node-api'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import type { BucketAccess } from './opened.ts'
import type { ObjectStore } from './port.ts'

/**
 * DuckDB reads the files of a lake in a bucket itself, by ranges and only the columns that it needs, where its extension httpfs
 * can be loaded; otherwise it reads local copies:
 *
 *     LOAD the extension ─▶ secret in memory ─▶ one LIST ─▶ s3:// ─┐
 *            └──────────────────┴─────────────────┴── fails ───────┴─▶ a line in the log, and copies
 *
 * The checksum of what is read so is not verified: a caller that needs it verifies the file first.
 */

export interface BucketReadsConfig {
  /** File of the extension, which DuckDB takes for its own exact version alone. */
  readonly extension: string
  /** The CAs that the endpoint's certificate may be of, a PEM file; null: those of the system. */
  readonly caFile: string | null
}

export interface BucketReadsDeps {
  readonly store: Pick<ObjectStore, 'url'>
  access(): Promise<BucketAccess | null>
  /** Told what DuckDB asked the bucket for. */
  counted(requests: number, bytesReceived: number): void
  logLine(line: string): void
}

/** What another process needs to let its DuckDB read the bucket, the access key among it. */
export interface GivenReads {
  readonly config: BucketReadsConfig
  /** A pattern of files in the bucket, of which there are none. */
  readonly probe: string
  readonly access: BucketAccess | null
}

/** Nothing lies there. */
const PROBED = '_none/*'
/** What is in no pattern and needs no encoding. */
const PLAIN_URL = /^s3:\/\/[\w/.=-]+$/

export class BucketReads {
  readonly #config: BucketReadsConfig
  readonly #deps: BucketReadsDeps
  #said = ''

  constructor(config: BucketReadsConfig, deps: BucketReadsDeps) {
    this.#config = config
    this.#deps = deps
  }

  /** Those of another process, by what it gave. */
  static of({ config, probe, access }: GivenReads, logLine: (line: string) => void): BucketReads {
    const deps = { store: { url: () => probe }, access: async () => access, counted() {}, logLine }
    return new BucketReads(config, deps)
  }

  /** What another process needs; null, which the log tells, where there is no access key. */
  async given(): Promise<GivenReads | null> {
    try {
      return {
        config: this.#config,
        probe: this.#deps.store.url?.(PROBED) ?? '',
        access: await this.#deps.access(),
      }
    } catch (error) {
      this.tell(unread(error))
      return null
    }
  }

  /** Tells the log why the bucket is not read, once as long as that stays the same; empty: it is read. */
  tell(line: string): void {
    if (line !== '' && line !== this.#said) this.#deps.logLine(line)
    this.#said = line
  }

  /** Lets the instance of `connection` read the bucket; null, which the log tells, where it cannot. */
  async open(connection: DuckDBConnection): Promise<InstanceReads | null> {
    const { store } = this.#deps
    try {
      const url = store.url?.(PROBED) ?? ''
      if (!PLAIN_URL.test(url.slice(0, -1)))
        throw new TidemarkError('E_STORE', 'the prefix has other characters than a-z, 0-9, _, -, . and =')
      await connection.run(`LOAD ${duckdb.text(this.#config.extension)}`)
      const reads = new InstanceReads(this.#config, this.#deps)
      await reads.renew(connection)
      await connection.run(`SELECT count(*) FROM glob(${duckdb.text(url)})`)
      this.tell('')
      return reads
    } catch (error) {
      this.tell(unread(error))
      return null
    }
  }
}

function unread(error: unknown): string {
  const reason = describeError(error).split('\n')[0]!
  return `lake: DuckDB reads copies of files, for it cannot read the bucket itself: ${reason}`
}

/** `url` of a file where DuckDB takes it for that and for no pattern; else null. */
export function bucketPath(url: string): string | null {
  return PLAIN_URL.test(url) ? url : null
}

/** What one instance of DuckDB needs for it. */
export class InstanceReads {
  readonly #config: BucketReadsConfig
  readonly #deps: BucketReadsDeps
  readonly #turn = serialQueue()
  /** The key that the instance has. */
  #key = ''
  #counting = 0

  constructor(config: BucketReadsConfig, deps: BucketReadsDeps) {
    this.#config = config
    this.#deps = deps
  }

  /** Gives the instance the present access key: those of a role expire. Throws `E_STORE` where there is none. */
  renew(connection: DuckDBConnection): Promise<void> {
    return this.#turn(async () => {
      const access = await this.#deps.access()
      if (access === null) throw new TidemarkError('E_STORE', 'the lake is in no bucket')
      const { accessKey, secretKey, sessionToken } = access.credentials
      const key = [accessKey, secretKey, sessionToken].join('\n')
      if (key === this.#key) return
      if (access.endpoint !== null && this.#config.caFile !== null)
        await connection.run(`SET ca_cert_file = ${duckdb.text(this.#config.caFile)}`)
      // As values and not as text, which an error might quote.
      await connection.run(
        `CREATE OR REPLACE TEMPORARY SECRET lake (TYPE s3, KEY_ID $1, SECRET $2, ${placeOf(access)}${sessionToken === null ? '' : ', SESSION_TOKEN $3'})`,
        [accessKey, secretKey, ...(sessionToken === null ? [] : [sessionToken])],
      )
      this.#key = key
    })
  }

  /** Has what `connection` asks for counted. Only where nobody else's SQL runs: what DuckDB notes could be read by it. */
  async count(connection: DuckDBConnection): Promise<void> {
    this.#counting += 1
    await connection.run("CALL enable_logging('HTTP')")
  }

  /** Tells what `connection` has asked for since. Never fails what it is called after. */
  async counted(connection: DuckDBConnection): Promise<void> {
    this.#counting -= 1
    try {
      const found = await connection.runAndReadAll(COUNTED)
      const [requests, bytes] = found.getRowsJS()[0] as [number, number]
      this.#deps.counted(requests, bytes)
      if (this.#counting === 0) await connection.run('CALL truncate_duckdb_logs()')
    } catch (error) {
      this.#deps.logLine(`lake: what DuckDB asked the bucket for is not known: ${describeError(error)}`)
    }
  }
}

const COUNTED = `SELECT count(*)::DOUBLE, coalesce(sum(TRY_CAST(response.headers['Content-Length'] AS DOUBLE)) FILTER (request.type = 'GET'), 0)
  FROM duckdb_logs_parsed('HTTP') WHERE connection_id = current_connection_id()`

function placeOf({ endpoint, region, pathStyle }: BucketAccess): string {
  const style = `REGION ${duckdb.text(region)}, URL_STYLE '${pathStyle ? 'path' : 'vhost'}'`
  if (endpoint === null) return style
  const url = new URL(endpoint)
  const host = `${url.host}${url.pathname.replace(/\/$/, '')}`
  return `${style}, ENDPOINT ${duckdb.text(host)}, USE_SSL ${url.protocol === 'https:'}`
}
