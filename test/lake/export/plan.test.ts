import { expect, test } from 'vitest'
import type { DataFile, Snapshot } from '../../../lake/delta/port.ts'
import { exportSql, planExport } from '../../../lake/export/plan.ts'
import type { QueryTable } from '../../../lake/query/catalog.ts'
import { messagesSchema } from '../../../lake/tables/messages.ts'
import { host } from '../../../schemas/datasets/host.ts'

const schema = messagesSchema(host)
const table = { name: 'messages', schema } as QueryTable

function snapshot(...dates: string[]): Snapshot {
  const files = dates.map((date): [string, DataFile] => {
    const path = `date=${date}/x.parquet`
    const about = { size: 1, modifiedMs: 0, rows: 1, min: {}, max: {}, nulls: {}, tags: {} }
    return [path, { path, partition: { date }, ...about }]
  })
  return { version: 1, timeMs: 0, schema, configuration: {}, files: new Map(files), txns: new Map() }
}

const from = (date: string, to: string) => ({ fromMs: Date.parse(date), toMs: Date.parse(to), where: {} })

test('only the files of the dates of a range are read, in their order', () => {
  const lake = snapshot('2026-11-23', '2026-11-21', '2026-11-22', '2026-11-24')
  const { files } = planExport(table, lake, from('2026-11-22', '2026-11-24'))
  expect(files.map(({ partition }) => partition.date)).toEqual(['2026-11-22', '2026-11-23'])
  expect(planExport(table, lake, from('2026-11-22', '2026-11-22')).files).toEqual([])
})

test('an export has no columns of the place in the log', () => {
  const { columns } = planExport(table, null, from('2026-11-22', '2026-11-23'))
  expect(columns.map(({ name }) => name)).toEqual([
    ...['service', 'host', 'time_stamp', 'cpu', 'ram', 'disk', 'agent', 'seq'],
  ])
})

test('values and paths are quoted', () => {
  const plan = planExport(table, null, { ...from('2026-11-22', '2026-11-23'), where: { service: "o'h" } })
  const sql = exportSql(plan, ["/a'b.parquet"], 'csv', "/out'.csv")
  for (const quoted of [`"service" = 'o''h'`, `'/a''b.parquet'`, `'/out''.csv'`])
    expect(sql).toContain(quoted)
})
