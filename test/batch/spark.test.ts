import { expect, test } from 'vitest'
import { reasonIn } from '../../batch/engines/spark.ts'
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

test('names and strings of any characters are quoted', () => {
  expect(spark.name('a`b')).toBe('`a``b`')
  expect(spark.text("it's \\n")).toBe("'it\\'s \\\\n'")
  expect(spark.double(1e15)).toBe('1e+15D')
})
