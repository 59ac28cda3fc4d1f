import { expect, test } from 'vitest'
import type { RunAbout } from '../../batch/active-run.ts'
import { readRuns, recordRuns } from '../../batch/records.ts'
import { emptyRecord } from '../../batch/view-run.ts'
import { openTable } from '../../lake/delta/table.ts'
import { encodeParquet } from '../../lake/parquet/codec.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { RUNS, runsSchema } from '../../lake/tables/runs.ts'
import type { RunRecord, StageRecord } from '../../schemas/ports/layers.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
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

test('stages of before they said with which one they are joined say it when they are read', async () => {
  const clock = new SimClock(10_000)
  const table = openTable(RUNS, { store: new MemoryStore(clock), clock, random: simRandom(1) })
  await table.create(runsSchema, {})
  const [inputs, rows, bytes, reused, error] = [{ files: 0, rows: 0, bytes: 0 }, null, null, 0, null]
  const map = { stage: 'map', inputs, rows, bytes, reused, seconds: null, error } as const
  const stages = [map, { ...map, stage: 'reduce', seconds: 2 }] as unknown as StageRecord[]
  const about: RunAbout = { run: 'a', startedMs: 1, full: false, asked: true, engine: 'duckdb' }
  await recordRuns(table, [{ ...emptyRecord(about, serviceMinute, 2), stages }])
  const [read] = await readRuns(table)
  expect(read!.stages.map(({ joined }) => joined)).toEqual(['reduce', null])
})
