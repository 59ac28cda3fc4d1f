import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { decodeParquet, encodeParquet, orDamaged } from '../../lake/parquet/codec.ts'
import { checkRuns } from '../../lake/parquet/runs.ts'
import { damaged } from '../log/damaged.ts'

const folder = await mkdtemp(join(tmpdir(), 'tidemark-runs-'))
afterAll(() => rm(folder, { recursive: true }))

/** A file of DuckDB's: lists, maps, what is missing, dictionaries, booleans. */
async function duckDbFile(options: string): Promise<Uint8Array> {
  const path = join(folder, 'a.parquet')
  const duckdb = await DuckDBInstance.create()
  const connection = await duckdb.connect()
  await connection.run(`
    COPY (
      SELECT i, CASE WHEN i % 3 > 0 THEN 'text ' || i % 5 END AS text, i % 2 = 0 AS flag, i / 7 AS quotient,
        CASE WHEN i % 4 > 0 THEN range(i % 4) END AS list, MAP {'a': i, 'b': NULL} AS map, 'same' AS same
      FROM range(400) t(i)
    ) TO '${path}' (FORMAT parquet, ${options})`)
  connection.closeSync()
  duckdb.closeSync()
  return readFile(path)
}

/** Fifty values, all missing: one run of levels, which the file holds uncompressed as `[2 × 50, 0]`. */
const missing = encodeParquet([
  { name: 'a', type: 'double', nullable: true, values: new Array(50).fill(null) },
])

test('a run that has more values than its page is damage', () => {
  checkRuns(missing)
  const at = Buffer.from(missing).indexOf(Buffer.from([2 * 50, 0]))
  const hurt = Uint8Array.from(missing)
  hurt[at] = 2 * 60
  expect(() => checkRuns(hurt)).toThrow('a run of 60 values in a page of 50')
})

test('a run of fewer levels than there are values is damage', () => {
  const at = Buffer.from(missing).indexOf(Buffer.from([2 * 50, 0]))
  const hurt = Uint8Array.from(missing)
  hurt[at] = 2 * 40
  expect(() => checkRuns(hurt)).toThrow('40 levels of 50 values')
})

test.for(['COMPRESSION snappy', 'COMPRESSION zstd, PARQUET_VERSION v2', 'COMPRESSION uncompressed'])(
  "a file of DuckDB's (%s) is whole, and whatever becomes of its bytes, it is read or called damaged",
  async (options) => {
    const whole = await duckDbFile(options)
    checkRuns(whole)
    await fc.assert(
      fc.asyncProperty(damaged(whole), async (bytes) => {
        const read = orDamaged('another writer', async () => {
          checkRuns(bytes)
          return decodeParquet(bytes)
        })
        await read.catch((error) => expect(error).toMatchObject({ code: 'E_FILE_DAMAGED' }))
      }),
      { numRuns: 100 },
    )
  },
)
