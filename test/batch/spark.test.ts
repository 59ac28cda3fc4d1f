import { expect, test } from 'vitest'
import { reasonIn } from '../../batch/engines/spark.ts'
import { AskedOfBucket } from '../../batch/engines/spark-asked.ts'
import { jobStatements } from '../../batch/engines/spark-job.ts'
import { spark } from '../../schemas/sql/spark.ts'

test("the reason of a failed job is its driver's last error, without the stack", () => {
  const said = [
    '26/11/26 21:00:00 WARN NativeCodeLoader: Unable to load native-hadoop library',
    '[PATH_NOT_FOUND] Path does not exist: file:/lake/a.parquet. SQLSTATE: 42K03',
    'org.apache.spark.sql.AnalysisException: no path',
    '\tat org.apache.spark.sql.Foo.bar(Foo.scala:1)',
  ].join('\n')
  expect(reasonIn(said)).toBe('[PATH_NOT_FOUND] Path does not exist: file:/lake/a.parquet. SQLSTATE: 42K03')
  expect(reasonIn('Exception in thread "main": All masters are unresponsive\n\tat X.y\n')).toBe(
    'Exception in thread "main": All masters are unresponsive',
  )
  expect(reasonIn('')).toBe('')
})

test('a job checks all files by one statement, after the views and before anything is written', () => {
  const job = (n: number) => ({ views: [`v${n}`], checks: [`c${n}`], writes: [`w${n}`] })
  const [v1, v2, check, ...writes] = jobStatements([job(1), job(2)])
  expect([v1, v2, writes]).toEqual(['v1', 'v2', ['w1', 'w2']])
  expect(check).toMatch(/^SELECT raise_error.*c1 UNION ALL c2/)
  expect(jobStatements([{ views: [], checks: [], writes: [] }])).toEqual([])
})

test('what a job asked of the bucket is the sum of what its processes say, each once', () => {
  const asked = new AskedOfBucket()
  const says = (process: string, read: number, written: number, ops: readonly [number, number]) =>
    asked.line(
      `tidemark asked org.apache.spark.SparkEnv@${process} {file=9 bytes read, 9 bytes written, 9 read ops, 9 large read ops, 9 write ops, s3a=${read} bytes read, ${written} bytes written, ${ops[0]} read ops, 0 large read ops, ${ops[1]} write ops}`,
    )
  asked.line('some other line')
  asked.line(
    'tidemark asked org.apache.spark.SparkEnv@1 {file=1 bytes read, 1 bytes written, 1 read ops, 0 large read ops, 1 write ops}',
  )
  expect(asked.sum).toEqual({ bytesReceived: 0, bytesSent: 0, reads: 0, writes: 0 })
  says('1', 0, 0, [3, 0])
  says('2', 1_000, 200, [10, 4])
  // Again, where driver and executor are one process.
  says('1', 0, 0, [4, 0])
  expect(asked.sum).toEqual({ bytesReceived: 1_000, bytesSent: 200, reads: 14, writes: 4 })
})

test('names and strings of any characters are quoted', () => {
  expect(spark.name('a`b')).toBe('`a``b`')
  expect(spark.text("it's \\n")).toBe("'it\\'s \\\\n'")
  expect(spark.double(1e15)).toBe('1e+15D')
})
