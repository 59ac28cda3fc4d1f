import { mkdtempDisposable, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import { taken } from './taken.ts'

/** A date and a time of day in two columns. */

const AT = '2026-11-22T10:00:05.000Z'
const ROW = ['web', 'h1', AT, 1, 2, 3]

test.each([
  ['ISO dates', 'date,time,service,host,cpu,ram,disk\n2026-11-22,10:00:05,web,h1,1,2,3\n'],
  ['German Excel', 'Datum;Uhrzeit;service;host;cpu;ram;disk\n22.11.2026;10:00:05;web;h1;1,0;2,0;3,0\n'],
  [
    'American Excel',
    'Date,Time,Service,Host,CPU,RAM,Disk\n11/22/2026,10:00:05 AM,web,h1,1,2,3\n11/22/2026,1:00:05 PM,web,h1,1,2,3\n',
  ],
  [
    'collectl, whose header is a comment',
    `${'#'.repeat(20)}\n# Collectl\n${'#'.repeat(20)}\n#Date,Time,service,host,cpu,ram,disk\n20261122,10:00:05,web,h1,1,2,3\n`,
  ],
  ['year first', 'time,day,service,host,cpu,ram,disk\n10:00:05,2026/11/22,web,h1,1,2,3\n'],
  ['fractions of seconds', 'date,time,service,host,cpu,ram,disk\n22.11.2026,10:00:05.000,web,h1,1,2,3\n'],
  ['a zone behind the time', 'date,time,service,host,cpu,ram,disk\n2026-11-22,11:00:05+01:00,web,h1,1,2,3\n'],
  [
    'two-digit hours are not needed',
    'a,b,service,host,cpu,ram,disk\n2026-11-22,10:00:05,web,h1,1,2,3\n2026-11-22,9:00:05,web,h1,1,2,3\n',
  ],
  [
    'JSON lines',
    '{"date":"2026-11-22","time":"10:00:05","service":"web","host":"h1","cpu":1,"ram":2,"disk":3}\n',
  ],
  [
    'a column for each series',
    'date,time,"cpu {service=""web"",host=""h1""}","ram {service=""web"",host=""h1""}","disk {service=""web"",host=""h1""}"\n2026-11-22,10:00:05,1,2,3\n',
  ],
  [
    'a row for each value',
    `date,time,metric,value,service,host\n${['cpu', 'ram', 'disk'].map((name, i) => `2026-11-22,10:00:05,${name},${i + 1},web,h1\n`).join('')}`,
  ],
])('%s', async (_, content) => {
  const { rows, refused } = await taken(content)
  expect(rows[0]).toEqual(ROW)
  expect(refused).toEqual([])
})

test('a person names the two, and how they are written', async () => {
  const text = 'started,ended,on,service,host,cpu,ram,disk\n10.00,11.00,22-11-26,web,h1,1,2,3\n'
  const options = { map: { time_stamp: 'on+started' }, timeFormat: '%d-%m-%y %H.%M', zone: 'Europe/Berlin' }
  expect((await taken(text, options)).rows).toEqual([['web', 'h1', '2026-11-22T09:00:00.000Z', 1, 2, 3]])
})

test('a row that lacks one of the two is refused, and no other', async () => {
  const text =
    'date,time,service,host,cpu,ram,disk\n2026-11-22,10:00:05,web,h1,1,2,3\n2026-11-22,,web,h1,1,2,3\n,10:00:05,web,h1,1,2,3\n'
  const { rows, refused, kept } = await taken(text)
  expect(rows).toEqual([ROW])
  expect(refused).toEqual([{ why: 'time_stamp is no time', rows: 2, first: 2, unit: 'row' }])
  expect(kept).not.toContain('date+time')
})

test('a column that holds date and time is the time, whatever stands beside it', async () => {
  const text = `time,date,uptime,service,host,cpu,ram,disk\n${AT},2026-11-01,10:00,web,h1,1,2,3\n`
  expect((await taken(text)).rows).toEqual([ROW])
})

test('dates alone are times at midnight, where nothing says more', async () => {
  const text = 'date,service,host,cpu,ram,disk\n2026-11-22,web,h1,1,2,3\n'
  expect((await taken(text)).rows[0]![2]).toBe('2026-11-22T00:00:00.000Z')
})

test.each([
  ['a type of dates', 'DATE'],
  ['a type of dates and times', 'TIMESTAMP_NS'],
])('Parquet with %s and one of times', async (_, type) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tidemark-dates-'))
  const path = join(folder.path, 'file.parquet')
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  const select = `'2026-11-22'::${type} AS date, '10:00:05'::TIME AS time, 'web' AS service, 'h1' AS host, 1 AS cpu, 2 AS ram, 3 AS disk`
  await connection.run(`COPY (SELECT ${select}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  expect((await taken(await readFile(path))).rows).toEqual([ROW])
})

const HEAD = 'date,time,service,host,cpu,ram,disk'
test.each([
  ['day and month cannot be told apart', `${HEAD}\n05/06/2026,10:00,web,h1,1,2,3\n`, {}],
  ['has times of day without a date, like 10:00', 'time,service,host,cpu,ram,disk\n10:00,web,h1,1,2,3\n', {}],
  ['make no number', `${HEAD}\n2026-11-22,10:00,web,h1,1,2,3\n`, { timeFormat: 'ms' }],
  [
    '--map time_stamp=date+clock: the file has',
    `${HEAD}\n2026-11-22,10:00,web,h1,1,2,3\n`,
    { map: { time_stamp: 'date+clock' } },
  ],
])('refused: %s', async (words, content, options) => {
  await expect(taken(content, options)).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining(words),
  })
})
