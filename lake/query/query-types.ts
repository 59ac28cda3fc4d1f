import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { BucketReads } from '../store/bucket-reads.ts'
import type { QueryAsOf, ReadTable } from './catalog.ts'
import type { BeginProcess, Column } from './process.ts'
import type { QueryValue } from './values.ts'

export interface QueryLimits {
  readonly timeMs: number
  readonly memoryBytes: number
  /** Rows of an answer; what is beyond is cut off, and said so. */
  readonly rowsMax: number
  /** Bytes of an answer as a file. */
  readonly fileBytesMax: number
}

export interface QueryDeps {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  /** Where what does not fit into memory goes for a while: a folder that belongs to queries alone. */
  readonly scratchDir: string
  /** How DuckDB reads a bucket itself, without checksums; null where it reads verified local files. */
  readonly reads: BucketReads | null
  removeTree(dir: string): Promise<void>
  readonly beginProcess: BeginProcess
}

export interface QueryRequest {
  readonly sql: string
  readonly asOf: QueryAsOf
  /** Fewer rows than the limit; absent: as many. */
  readonly rowsMax?: number
}

/** An answer while it is read. It must be closed. */
export interface QueryAnswer extends AsyncDisposable {
  readonly columns: readonly Column[]
  readonly tables: readonly ReadTable[]
  /** Some rows at a time. Throws `E_QUERY_LIMIT` where the time or the memory ends. */
  rows(): AsyncIterable<QueryValue[][]>
  /** Whether rows were cut off, as far as they were read. */
  isCut(): boolean
}
