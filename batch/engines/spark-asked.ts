import { spark } from '../../schemas/sql/spark.ts'

/**
 * What a job's driver and executors asked of the bucket. Hadoop counts by file system in each of their processes; the last statements
 * of a job have each say what it counted, so that no jar of ours is needed:
 *
 *     tidemark asked org.apache.spark.SparkEnv@44f6ac4f {s3a=9 bytes read, 8 bytes written, 7 read ops, 0 large read ops, 6 write ops}
 *                    └─ tells the processes apart
 */
export interface Asked {
  readonly bytesReceived: number
  readonly bytesSent: number
  /** As Hadoop counts them: of a file opened, listed or looked for, and of one written, renamed or removed. */
  readonly reads: number
  readonly writes: number
}

const MARK = 'tidemark asked '
const COUNTED = `concat(${spark.text(MARK)}, reflect('org.apache.spark.SparkEnv', 'get'), ' ', reflect('org.apache.hadoop.fs.FileSystem', 'getStatistics'))`
/** Tasks for every core of every executor, and what each waits, so that none takes those of another. */
const TASKS = 64
const WAIT_MS = 20

/** The statements: the first is evaluated by the driver, the second by executors. */
export const ASKED_STATEMENTS: readonly string[] = [
  `DECLARE OR REPLACE VARIABLE asked STRING DEFAULT ${COUNTED}`,
  `SELECT asked UNION SELECT ${COUNTED} FROM (SELECT reflect('java.lang.Thread', 'sleep', ${WAIT_MS}L) AS slept FROM range(0, ${TASKS}, 1, ${TASKS})) WHERE slept IS NOT NULL`,
]

const LINE =
  /^tidemark asked (\S+) .*\bs3a=(\d+) bytes read, (\d+) bytes written, (\d+) read ops, (\d+) large read ops, (\d+) write ops/

/** The sum of what the processes of one job say. */
export class AskedOfBucket {
  readonly #byProcess = new Map<string, Asked>()

  /** A line of what the driver writes. */
  line(text: string): void {
    const [, process, ...numbers] = LINE.exec(text) ?? []
    if (process === undefined) return
    const [bytesReceived, bytesSent, reads, large, writes] = numbers.map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ]
    const before = this.#byProcess.get(process)
    // A process that said it twice counted on meanwhile.
    if (before !== undefined && before.reads + before.writes > reads + large + writes) return
    this.#byProcess.set(process, { bytesReceived, bytesSent, reads: reads + large, writes })
  }

  get sum(): Asked {
    const sum = { bytesReceived: 0, bytesSent: 0, reads: 0, writes: 0 }
    for (const one of this.#byProcess.values())
      for (const name of ['bytesReceived', 'bytesSent', 'reads', 'writes'] as const) sum[name] += one[name]
    return sum
  }
}
