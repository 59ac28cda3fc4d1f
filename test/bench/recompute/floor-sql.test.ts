import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDuckdb } from '../../../bench/lake/made.ts'
import { copySql, FLOOR_VIEWS } from '../../../bench/recompute/floor-sql.ts'

const [serviceMinute, hostMinute] = FLOOR_VIEWS as [
  (typeof FLOOR_VIEWS)[number],
  (typeof FLOOR_VIEWS)[number],
]

/** What a statement by hand makes of a few messages: `[host, second, cpu]`, ram and disk 0. */
async function made(view: typeof serviceMinute, columns: string[], messages: [string, number, number][]) {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-floor-'))
  using duckdb = await openDuckdb()
  try {
    const [from, to] = [join(dir, 'messages.parquet'), join(dir, 'cells.parquet')]
    const rows = messages.map(([host, second, cpu]) => {
      return `('web', '${host}', make_timestamptz(${second} * 1000000), ${cpu}::DOUBLE, 0::DOUBLE, 0::DOUBLE)`
    })
    await duckdb.db.run(
      `COPY (SELECT * FROM (VALUES ${rows.join(', ')}) AS of(service, host, time_stamp, cpu, ram, disk)) TO '${from}'`,
    )
    await duckdb.db.run(copySql(view, columns, { messages: [from], to }))
    const cells = await duckdb.db.runAndReadAll(`SELECT to_json(cells) FROM '${to}' AS cells`)
    return cells.getRows().map(([json]) => JSON.parse(json as string))
  } finally {
    await rm(dir, { recursive: true })
  }
}

test('a maximum by hand is the earliest of equal ones, then the smaller host', async () => {
  const columns = [
    'service',
    'time_stamp',
    'cpu',
    'max_cpu_time',
    'max_cpu',
    'msg_num',
    'max_cpu_host',
    'min_cpu',
  ]
  const [cell, ...others] = await made(serviceMinute, columns, [
    ['c', 62, 7],
    ['b', 61, 9],
    ['a', 61, 9],
    ['a', 63, 9],
  ])
  expect(others).toEqual([])
  expect(cell).toMatchObject({ cpu: 34, max_cpu: 9, msg_num: 4, max_cpu_host: 'a', min_cpu: 7 })
  expect(cell.max_cpu_time).toContain('00:01:01')
})

test('a sketch by hand counts by the exponent and the first 6 bits of the mantissa', async () => {
  const messages = [0, 1, 1.015625, 1.02, 8, 8].map((cpu, i): [string, number, number] => ['a', i, cpu])
  const [cell] = await made(serviceMinute, ['service', 'time_stamp', 'cpu_sketch'], messages)
  expect(cell.cpu_sketch).toEqual([
    { bucket: 0, count: 1 },
    { bucket: 1023 * 64, count: 1 },
    { bucket: 1023 * 64 + 1, count: 2 },
    { bucket: 1026 * 64, count: 2 },
  ])
})

test('a view of hosts by hand has a cell of each host, and no column that it does not know', async () => {
  const cells = await made(
    hostMinute,
    ['service', 'host', 'time_stamp', 'max_cpu', 'msg_num'],
    [
      ['b', 0, 1],
      ['a', 0, 2],
      ['a', 1, 3],
    ],
  )
  expect(cells.map(({ host, max_cpu, msg_num }) => [host, max_cpu, msg_num])).toEqual([
    ['a', 3, 2],
    ['b', 1, 1],
  ])
  expect(() => copySql(hostMinute, ['time_stamp', 'cpu_mode'], { messages: [], to: '' })).toThrow('cpu_mode')
})
