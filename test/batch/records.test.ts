import { expect, test } from 'vitest'
import { readRuns, recordRuns } from '../../batch/records.ts'
import { openTable } from '../../lake/delta/table.ts'
import { encodeParquet } from '../../lake/parquet/codec.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { RUNS, runsSchema } from '../../lake/tables/runs.ts'
import type { RunRecord } from '../../schemas/ports/layers.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'

const LATER = ['stages', 'report']

const OLD = {
  run: 'a',
  view: 'service_minute',
  started: 1_000,
  ended: 2_000,
  result: 'published',
  error: null,
  full: true,
  engine: 'duckdb',
  definition: 'd',
  messages_version: 1,
  view_version: 1,
  tidemark: '{"0":2}',
  hours: 1,
  files: 1,
  rows: 2,
} as const

test('records of before there were stages and reports are read, and stand beside newer ones', async () => {
  const clock = new SimClock(10_000)
  const table = openTable(RUNS, { store: new MemoryStore(clock), clock, random: simRandom(1) })
  const fields = runsSchema.fields.filter(({ name }) => !LATER.includes(name))
  const base = await table.create({ ...runsSchema, fields }, {})
  const columns = fields.map(({ name, type, nullable }) => {
    return { name, type: type as 'string', nullable, values: [OLD[name as keyof typeof OLD]] }
  })
  const about = { partition: {}, rows: 1, min: {}, max: {} }
  const file = await table.writeFile(encodeParquet(columns), about)
  await table.commit(base, { operation: 'RUN', add: [file], dataChange: true })

  const [old] = await readRuns(table)
  expect(old).toMatchObject({ run: 'a', tidemark: { 0: 2 }, stages: [], report: null })
  const next: RunRecord = { ...old!, run: 'b', startedMs: 3_000, report: 'the definition changed' }
  await recordRuns(table, [next])
  expect(await readRuns(table)).toEqual([next, old])
  expect((await table.snapshot())!.schema).toEqual(runsSchema)
})
