import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeParquet, encodeParquet, lazily } from '../../lake/parquet/codec.ts'
import type { ParquetColumn } from '../../lake/parquet/column.ts'
import { SketchRows } from '../../lake/parquet/sketch-rows.ts'
import { columnOf, type SketchColumn } from '../../schemas/cell-column.ts'
import { TIME_MS_MAX, TIME_MS_MIN } from '../../schemas/time.ts'

type Type = ParquetColumn['type']

/** Values of every type, the edges among them. */
const VALUES: { readonly [type in Type]: fc.Arbitrary<unknown> } = {
  string: fc.string({ unit: 'binary' }),
  long: fc.maxSafeInteger(),
  integer: fc.integer(),
  double: fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 3 })),
  boolean: fc.boolean(),
  timestamp: fc.oneof(
    fc.constantFrom(TIME_MS_MIN, TIME_MS_MAX, -1, 0, 1),
    fc.integer({ min: TIME_MS_MIN, max: TIME_MS_MAX }),
  ),
  sketch: fc.array(fc.record({ bucket: fc.integer(), count: fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }) }), {
    maxLength: 5,
  }),
}

const column = (type: Type) =>
  fc
    .tuple(fc.boolean(), fc.constantFrom(undefined, 'PLAIN', 'DELTA', 'BYTES'), fc.boolean())
    .chain(([nullable, encoding, statistics]) => {
      const isDelta = encoding === 'DELTA' && ['long', 'integer', 'timestamp'].includes(type)
      const isPlain = encoding === 'PLAIN' && type !== 'sketch'
      const isBytes = encoding === 'BYTES' && type === 'double'
      const value = nullable ? fc.option(VALUES[type], { freq: 3 }) : VALUES[type]
      return fc.record({
        type: fc.constant(type),
        nullable: fc.constant(nullable),
        statistics: fc.constant(statistics),
        encoding: fc.constant(isDelta || isPlain || isBytes ? encoding : undefined),
        values: fc.array(value, { minLength: 40, maxLength: 40 }),
      })
    })

const columns = fc
  .tuple(...(Object.keys(VALUES) as Type[]).map(column), fc.integer({ min: 1, max: 40 }))
  .map((made) => {
    const rows = made.pop() as number
    return (made as Omit<ParquetColumn, 'name'>[]).map(
      ({ encoding, ...one }): ParquetColumn => ({
        ...one,
        ...(encoding && { encoding }),
        name: one.type,
        values: (one.values as unknown[]).slice(0, rows),
      }),
    )
  })

test.each([undefined, 'BYTES', 'PLAIN'] as const)(
  'minus zero stays it among many zeros (%s)',
  async (encoding) => {
    const values = Array.from({ length: 400 }, (_, i) => (i === 13 ? -0 : 0))
    const many = values.map((value, i) => (i > 100 ? i : value))
    for (const written of [values, many]) {
      const first: ParquetColumn = { name: 'i', type: 'integer', values: written.map((_, i) => i) }
      const column: ParquetColumn = {
        name: 'v',
        type: 'double',
        values: written,
        ...(encoding && { encoding }),
      }
      const { v } = await decodeParquet(encodeParquet([first, column]))
      expect(v!.flatMap((value, i) => (Object.is(value, -0) ? [i] : []))).toEqual([13])
    }
  },
)

test('columns of every type come back as they were written, with nulls in any place', async () => {
  await fc.assert(
    fc.asyncProperty(columns, async (written) => {
      const read = await decodeParquet(encodeParquet(written, { rowGroupRows: 16 }))
      for (const { name, values } of written) expect(read[name], name).toEqual(values)
    }),
    { numRuns: 100 },
  )
})

/** Whole numbers that are near each other, of any width. */
const wholes = fc
  .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 }))
  .chain(([bits, base]) =>
    fc.array(
      fc.option(
        fc.maxSafeInteger().map((n) => base + (Math.abs(n) % 2 ** bits)),
        { freq: 9 },
      ),
      {
        minLength: 1,
        maxLength: 300,
      },
    ),
  )

const sketches = fc.array(
  fc.array(fc.tuple(fc.integer({ min: -(2 ** 18), max: 2 ** 18 }), fc.integer({ min: 1, max: 2 ** 40 })), {
    maxLength: 4,
  }),
  { minLength: 1, maxLength: 100 },
)

test('whole numbers as differences of any width, and sketches in columns, are what DuckDB and hyparquet read', async () => {
  await duckdb(async (run, dir) => {
    const path = join(dir, 'f.parquet')
    await fc.assert(
      fc.asyncProperty(wholes, sketches, fc.boolean(), async (longs, pairs, nullable) => {
        const rows = Math.min(longs.length, pairs.length)
        const values = longs.slice(0, rows).map((value) => (nullable ? value : (value ?? 0)))
        const sketch = columnOf('sketch', pairs.slice(0, rows)) as SketchColumn
        const delta = { nullable, values, encoding: 'DELTA' } as const
        const bytes = encodeParquet(
          [
            { name: 'i', type: 'integer', values: Int32Array.from(values.keys()) },
            { name: 'long', type: 'long', ...delta },
            { name: 'sketch', type: 'sketch', values: new SketchRows(sketch) },
            { name: 'time', type: 'timestamp', ...delta },
            { name: 'plain', type: 'double', nullable, values, encoding: 'PLAIN', statistics: false },
          ],
          { rowGroupRows: 40 },
        )
        const read = await decodeParquet(bytes)
        for (const name of ['long', 'time', 'plain']) expect(read[name]).toEqual(values)
        const listed = (read.sketch as { bucket: number; count: bigint }[][]).map((list) =>
          list.map(({ bucket, count }) => [bucket, Number(count)]),
        )
        expect(listed).toEqual(pairs.slice(0, rows))
        writeFileSync(path, bytes)
        const from = `FROM read_parquet('${path}') ORDER BY i`
        expect(await run(`SELECT long::DOUBLE AS r ${from}`)).toEqual(values)
        expect(await run(`SELECT epoch_ms(time)::DOUBLE AS r ${from}`)).toEqual(values)
        expect(await run(`SELECT plain AS r ${from}`)).toEqual(values)
        const asText = `SELECT to_json([[p.bucket, p.count] for p in sketch])::VARCHAR AS r ${from}`
        expect(await run(asText)).toEqual(pairs.slice(0, rows).map((list) => JSON.stringify(list)))
      }),
      { numRuns: 60 },
    )
  })
})

/** Of a file that is written anew within a second, and is as long as before, DuckDB would take what it holds for what is there. */
const WITHOUT_CACHE = { enable_external_file_cache: 'false' }

/** What DuckDB says of a file of `sql`, or of the file it made of it. */
async function duckdb<T>(work: (run: (sql: string) => Promise<unknown[]>, dir: string) => Promise<T>) {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-codec-'))
  try {
    const connection = await (await DuckDBInstance.create(':memory:', WITHOUT_CACHE)).connect()
    await connection.run("SET TimeZone = 'UTC'")
    return await work(
      async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJS().map((row) => row.r),
      dir,
    )
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('values are made of each row group when it is written; longs of 32 bits and longer ones share a column', async () => {
  const [long, asked] = [2 ** 40, [] as number[]]
  const source = Float64Array.from({ length: 50 }, (_, i) => (i < 20 ? i : long + i))
  const doubled = lazily(source, (value) => {
    asked.push(value)
    return value % 7 === 0 ? null : 2 * value
  })
  expect(asked).toEqual([])
  const file = encodeParquet(
    [
      { name: 'i', type: 'integer', values: Int32Array.from(source.keys()) },
      { name: 'doubled', type: 'long', nullable: true, values: doubled, encoding: 'DELTA' },
      { name: 'plain', type: 'long', values: source, encoding: 'DELTA' },
    ],
    { rowGroupRows: 16 },
  )
  expect(asked).toEqual([...source])

  const expected = [...source].map((value) => (value % 7 === 0 ? null : 2 * value))
  const read = await decodeParquet(file)
  expect(read.doubled).toEqual(expected)
  expect(read.plain).toEqual([...source])
  await duckdb(async (run, dir) => {
    writeFileSync(join(dir, 'f.parquet'), file)
    const from = `FROM read_parquet('${dir}/f.parquet')`
    expect(await run(`SELECT doubled::DOUBLE AS r ${from}`)).toEqual(expected)
    expect(await run(`SELECT i AS r ${from} WHERE plain > ${long}`)).toEqual([...source.keys()].slice(20))
  })
})

test('DuckDB reads every type, nulls, nested lists and times of the years 1 to 9999', async () => {
  await duckdb(async (run, dir) => {
    const timestamp = [TIME_MS_MIN, null, -1, TIME_MS_MAX]
    const sketch = [[], null, [{ bucket: -7, count: 2n }], [1, 2].map((n) => ({ bucket: n, count: 5n }))]
    const file = encodeParquet([
      { name: 'timestamp', type: 'timestamp', nullable: true, values: timestamp, encoding: 'DELTA' },
      { name: 'sketch', type: 'sketch', nullable: true, values: sketch },
      { name: 'double', type: 'double', nullable: true, values: [1.5, null, -0.1, 1e300] },
      { name: 'string', type: 'string', nullable: true, values: ['ü', null, '', '漢'] },
    ])
    writeFileSync(join(dir, 'f.parquet'), file)
    const from = `FROM read_parquet('${dir}/f.parquet')`
    expect(await run(`SELECT strftime(timestamp, '%Y-%m-%d %H:%M:%S.%g') AS r ${from}`)).toEqual([
      '0001-01-01 00:00:00.000',
      null,
      '1969-12-31 23:59:59.999',
      '9999-12-31 23:59:59.999',
    ])
    expect(await run(`SELECT to_json(sketch)::VARCHAR AS r ${from}`)).toEqual([
      '[]',
      null,
      '[{"bucket":-7,"count":2}]',
      '[{"bucket":1,"count":5},{"bucket":2,"count":5}]',
    ])
    expect(await run(`SELECT double AS r ${from}`)).toEqual([1.5, null, -0.1, 1e300])
    expect(await run(`SELECT string AS r ${from}`)).toEqual(['ü', null, '', '漢'])
  })
})

/** Rows of four row groups: the first with few values, the second with too many for a byte, the third without any. */
function mixedRows(i: number): number | null {
  if (i < 1_000) return i % 7 === 0 ? null : (i * i) % 256
  if (i < 2_000) return i
  return i < 3_000 ? null : 50
}

test('doubles of few different values take a byte each, and DuckDB reads them', async () => {
  await duckdb(async (run, dir) => {
    const values = Array.from({ length: 4_000 }, (_, i) => mixedRows(i))
    const place = values.map((_, i) => i)
    const columns: ParquetColumn[] = [
      { name: 'i', type: 'integer', values: place, encoding: 'DELTA' },
      { name: 'sketch', type: 'sketch', values: values.map(() => [{ bucket: 1, count: 2n }]) },
      { name: 'v', type: 'double', nullable: true, values, encoding: 'BYTES' },
      { name: 'last', type: 'string', values: values.map(String) },
    ]
    const bytes = encodeParquet(columns, { rowGroupRows: 1_000 })
    writeFileSync(join(dir, 'f.parquet'), bytes)
    const from = `FROM read_parquet('${dir}/f.parquet')`
    expect(await run(`SELECT v AS r ${from} ORDER BY i`)).toEqual(values)
    expect(await run(`SELECT last AS r ${from} ORDER BY i`)).toEqual(values.map(String))
    expect(await decodeParquet(bytes, ['v', 'last'])).toEqual({ v: values, last: values.map(String) })
    const encodings = `SELECT encodings AS r FROM parquet_metadata('${dir}/f.parquet') WHERE path_in_schema = 'v'`
    expect(await run(encodings)).toEqual([
      'PLAIN, RLE_DICTIONARY',
      'PLAIN',
      expect.any(String),
      'PLAIN, RLE_DICTIONARY',
    ])
  })
})

test('a walk of whole percentages takes less in bytes than in seven bits', () => {
  let value = 50
  const values = Array.from({ length: 50_000 }, (_, i) => {
    value = Math.min(100, Math.max(0, value + ((Math.imul(i + 1, 2_654_435_761) >>> 8) % 5) - 2))
    return value
  })
  const first: ParquetColumn = { name: 'i', type: 'integer', values: values.map(() => 0) }
  const size = (encoding?: 'BYTES') =>
    encodeParquet([
      first,
      { name: 'v', type: 'double', values, statistics: false, ...(encoding && { encoding }) },
    ]).length
  expect(size('BYTES')).toBeLessThan(0.8 * size())
})

test.each(['PLAIN', 'DELTA', 'BYTES'] as const)(
  '%s: a value that must be there is not left out',
  (encoding) => {
    const type = encoding === 'DELTA' ? 'long' : 'double'
    const values = [1, 1, null, 1, 1]
    const write = (nullable: boolean) =>
      encodeParquet([
        { name: 'first', type: 'string', values: ['a', 'b', 'c', 'd', 'e'] },
        { name: 'own', type, nullable, encoding, statistics: false, values },
      ])
    expect(() => write(false)).toThrow('own')
    expect(write(true).length).toBeGreaterThan(0)
  },
)

test('files of DuckDB are read, microseconds towards the past', async () => {
  await duckdb(async (run, dir) => {
    const rows = [
      "'0001-01-01T00:00:00Z'::TIMESTAMPTZ, [{'bucket': 1::INTEGER, 'count': 9007199254740991::BIGINT}]",
      "'1969-12-31T23:59:59.9999Z'::TIMESTAMPTZ, []",
      "'9999-12-31T23:59:59.999Z'::TIMESTAMPTZ, NULL",
      'NULL, NULL',
    ]
    const values = rows.map((row) => `(${row})`).join(', ')
    await run(`COPY (SELECT * FROM (VALUES ${values}) v(t, s)) TO '${dir}/f.parquet' (COMPRESSION zstd)`)
    const { t, s } = await decodeParquet(readFileSync(join(dir, 'f.parquet')))
    expect(t).toEqual([TIME_MS_MIN, -1, TIME_MS_MAX, null])
    expect(s).toEqual([[{ bucket: 1, count: 9007199254740991n }], [], null, null])
  })
})
