import { buffer } from 'node:stream/consumers'
import { constants, createZstdCompress, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Dataset } from '../../../schemas/dataset.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { taken } from './taken.ts'

/** Files as other programs and people really write them. */

const AT = '2026-11-22T10:00:00.000Z'
const HEAD = 'time,service,host,cpu,ram,disk'
const ROW = ['web', 'h1', AT, 1, 2, 3]

test.each([
  ['no line end behind the only row', `${HEAD}\n${AT},web,h1,1,2,3`],
  ['carriage returns alone', `${HEAD}\r${AT},web,h1,1,2,3\r`],
  [
    'UTF-16 as Excel writes it',
    Buffer.from(`\ufeff${HEAD}\n${AT},web,h1,1,2,3\n`.replaceAll(',', '\t'), 'utf16le'),
  ],
  ['a title above the table', `CPU report\n"of November",,,,,\n\n${HEAD}\n${AT},web,h1,1,2,3\n`],
  ['lines within quotes in a title', `"CPU ""report""\nof November",,,,,\n${HEAD}\n${AT},web,h1,1,2,3\n`],
  ['lines within quotes in a header', `time,service,host,"CPU\n(%)","RAM\n(%)",disk\n${AT},web,h1,1,2,3\n`],
  ['a header with fewer columns than rows', `${HEAD}\n${AT},web,h1,1,2,3,\n`],
  ['German Excel with a year of two digits', `${HEAD}\n22.11.26 10:00,web,h1,1,2,3\n`.replaceAll(',', ';')],
  ['American Excel with one', `${HEAD}\n11/22/26 10:00 AM,web,h1,1,2,3\n`],
  ['a month by its name', `${HEAD}\n22-Nov-2026 10:00:00,web,h1,1,2,3\n`],
  ['an American date with AM and PM', `${HEAD}\n11/22/2026 10:00:00 AM,web,h1,1,2,3\n`],
  ['a time with a zone and no seconds', `${HEAD}\n2026-11-22T11:00+01:00,web,h1,1,2,3\n`],
  ['an array of objects', `[\n {"time":"${AT}","service":"web","host":"h1","cpu":1,"ram":2,"disk":3}]`],
  [
    'objects within objects',
    `{"@timestamp":"${AT}","service":{"name":"web"},"host":{"name":"h1"},"cpu":1,"ram":2,"disk":3}\n`,
    { service: 'service.name', host: 'host.name' },
  ],
])('%s', async (_, content, map: { [name: string]: string } = {}) => {
  expect(await taken(content, { map })).toMatchObject({ rows: [ROW], refused: [] })
})

test.each([
  ['Parquet with a footer of nothing', Buffer.from(`PAR1${'x'.repeat(1_000)}PAR1`)],
  ['an array with rows behind it', '[]\n1\nnull\n{}\n'],
])('%s is refused by the name of the file, in one line', async (_, content) => {
  const error = await taken(content).catch((reason) => reason)
  expect([error.code, error.message]).toEqual(['E_USAGE', expect.stringMatching(/^\S+ cannot be read: .+$/)])
  expect(error.message).not.toMatch(/\/|SELECT|duckdb/)
  expect(error.hint).toMatch(/write or fetch it again/)
})

test('Latin-1, with what Windows added to it, as Excel writes it', async () => {
  const text = `${HEAD.replaceAll(',', ';')}\n${AT};Kübel\x80;h1;1,5;2,5;3,5\n`
  for (const content of [Buffer.from(text, 'latin1'), gzipSync(Buffer.from(text, 'latin1'))])
    expect((await taken(content)).rows).toEqual([['Kübel€', 'h1', AT, 1.5, 2.5, 3.5]])
})

test('other encodings than UTF-8 are read of all formats', async () => {
  const inUtf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')
  const series = `Time\tcpu {service: wéb}\tram {service: wéb}\tdisk {service: wéb}\n${AT}\t1\t2\t3\n`
  expect((await taken(inUtf16(series))).rows).toEqual([['wéb', 'import', AT, 1, 2, 3]])
  const object = JSON.stringify({ time: AT, service: 'wéb', host: 'h1', cpu: 1, ram: 2, disk: 3 })
  expect((await taken(inUtf16(`${object}\n`).swap16())).rows).toEqual([ROW.with(0, 'wéb')])
})

/** Stands between frames of zstd, as pzstd writes it. */
const SKIPPED = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4])

test('a file of several zstd frames is read whole, whatever is in the first', async () => {
  const rows = [`${HEAD}\n`, `${AT},web,h1,1,2,3\n`.repeat(9_000), '', `${AT},web,h2,1,2,3\n`]
  const frames = rows.map((text) => zstdCompressSync(text))
  const whole = Buffer.concat([SKIPPED, ...frames.slice(0, 2), SKIPPED, ...frames.slice(2)])
  expect((await taken(whole)).accepted).toBe(9_001)
  // Without a size and with a checksum, as a stream is compressed.
  const stream = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  const streamed = await buffer(stream.end(rows.join('')))
  expect((await taken(Buffer.concat([streamed, zstdCompressSync(rows[1]!)]))).accepted).toBe(18_001)
})

test.each([
  ['within its first frame', (frame: Buffer) => frame.subarray(0, -3), /unexpected end of file/],
  ['within its second', (frame: Buffer) => Buffer.concat([frame, frame.subarray(0, -3)]), /unexpected end/],
  ['within a header', (frame: Buffer) => Buffer.concat([frame, frame.subarray(0, 3)]), /unexpected end/],
  ['by something else', (frame: Buffer) => Buffer.concat([frame, Buffer.from('a,b,c')]), /no frame of zstd/],
])('a zstd file that is cut off or followed %s is refused', async (_, harm, words) => {
  const text = `${HEAD}\n${`${AT},web,h1,1,2,3\n`.repeat(100)}`
  const error = await taken(harm(zstdCompressSync(text))).catch((reason) => reason)
  expect([error.code, error.message]).toEqual(['E_USAGE', expect.stringMatching(words)])
  expect(error.hint).toMatch(/write or fetch it again/)
})

test.each([
  ['American', `${AT},web,h1,"1,234.5",2,3`, 1234.5],
  ['Swiss', `${AT},web,h1,1'234.5,2,3`, 1234.5],
  ['French', `${AT},web,h1,"1\u202f234,5",2,3`, 1234.5],
])('marks of thousands: %s', async (_, row, cpu) => {
  expect((await taken(`${HEAD}\n${row}\n`)).rows).toEqual([ROW.with(3, cpu)])
})

/** A percent. */
const percent: Dataset = { ...host, gauges: host.gauges.map((gauge) => ({ ...gauge, max: 100 })) }

test.each([
  ['1,5', '12.5', []],
  ['1,5', '1.000', [1]],
  ['1,5', '1,5E1', []],
  ["0'012.5", '1,5', [1]],
  ['0 012', '1,5', [1]],
  ['0 012', '1 234.5', [1]],
  ['1 234', '1 234,5', [1, 60]],
])('a number is not read by the marks of others: among %j the value %j', async (usual, other, refused) => {
  const row = (cpu: string) => `${AT};web;h1;${cpu};2;3\n`
  const text = `${HEAD.replaceAll(',', ';')}\n${row(usual).repeat(60)}${row(other)}`
  const found = await taken(text, {}, percent)
  expect(found.refused.map(({ rows }) => rows).sort()).toEqual(refused)
})

test.each([
  ['dates and numbers with a comma', 'time;cpu;ram;disk', '22.11.2026, 10:00;1,5;2,5;3,5'],
  ['numbers with a comma', 'time;cpu;ram;disk', '22.11.2026 10:00;1,5;2,5;3,5'],
  ['tabs and numbers with a comma', 'time\tcpu\tram\tdisk', '22.11.2026 10:00\t1,5\t2,5\t3,5'],
])('as many commas as delimiters: %s', async (_, head, row) => {
  const text = `${head}\n${`${row}\n`.repeat(5)}`
  const { rows } = await taken(text, { set: { service: 'web' } })
  expect(rows[0]).toEqual(['web', 'import', AT, 1.5, 2.5, 3.5])
})

test('a quote in a title that is not closed takes no rows along unsaid', async () => {
  const text = `"CPU report,,,,,\n${HEAD}\n${`${AT},web,h1,1,2,3\n`.repeat(9)}`
  const error = await taken(text).catch((reason) => reason)
  expect([error.code, error.message]).toEqual(['E_USAGE', expect.stringMatching(/^a quote opens above/)])
})

test('a table without a row of two values is said to be none', async () => {
  const error = await taken(',,,\n,,,\n').catch((reason) => reason)
  expect([error.code, error.message]).toEqual(['E_USAGE', expect.not.stringMatching(/undefined/)])
})

test('times with and without zone in one file', async () => {
  const text = `${HEAD}\n${AT},web,h1,1,2,3\n2026-11-22 11:00:00,web,h1,1,2,3\n2026-11-22 11:00:00+01:00,web,h1,1,2,3\n`
  expect((await taken(text, { zone: 'Europe/Berlin' })).rows).toEqual([ROW, ROW, ROW])
})

test('a row without a time does not hide how the others are written', async () => {
  const { rows, refused } = await taken(
    `${HEAD}\n${AT},web,h1,1,2,3\n${AT},web,h1,1,2,3\nnever,web,h1,1,2,3\n`,
  )
  expect(rows).toEqual([ROW, ROW])
  expect(refused).toMatchObject([{ why: 'time_stamp is no time', first: 3, unit: 'row' }])
})

test.each(['', 'null', 'NaN', '-', 'N/A', '\\N'])('%j is no value, and not a wrong one', async (nothing) => {
  const { refused } = await taken(`${HEAD}\n${AT},web,h1,1,2,3\n${AT},web,h1,${nothing},2,3\n`)
  expect(refused).toMatchObject([{ why: 'cpu is missing', rows: 1 }])
})

test('lines that are no JSON are refused by their numbers, kept as they are, and harm no other', async () => {
  const object = (cpu: unknown) =>
    JSON.stringify({ time: AT, service: 'web', host: 'h1', cpu, ram: 2, disk: 3 })
  const text = [
    object(1),
    'not json',
    '{"time":',
    object(1),
    '',
    '[1,2]',
    object('x'),
    object(1),
    object(1),
  ].join('\n')
  const { rows, refused, kept } = await taken(text)
  expect(rows).toHaveLength(4)
  expect(refused).toEqual([
    { why: 'no JSON object', rows: 3, first: 2, unit: 'line' },
    { why: 'cpu is no number', rows: 1, first: 7, unit: 'line' },
  ])
  expect(kept).toContain('\n2,no JSON object,not json\n')
  expect(kept).toContain('{""time"":')
})

test('lines of CSV that are no rows are refused by their numbers, and harm no other', async () => {
  const text = `${HEAD}\n${AT},web,h1,1,2,3\n${AT},"web"x,h1,1,2,3\n${AT},web\n${AT},web,h1,1,2,3,4\n${AT},web,"h\n1",1,2,3\n${AT},web,h1,1,2,3\n`
  const { accepted, refused } = await taken(text)
  expect([accepted, refused.map(({ why, first }) => `${first} ${why}`).sort()]).toEqual([
    2,
    [
      '2 host must be without control characters',
      '3 text beside quotes',
      '4 missing columns',
      '5 too many columns',
    ],
  ])
})

test('columns that a person names, of a file without a header', async () => {
  const text = `cpu,h1,web,1,${Date.parse(AT) / 1_000}\nram,h1,web,2,${Date.parse(AT) / 1_000}\ndisk,h1,web,3,${Date.parse(AT) / 1_000}\n`
  const header = ['__name__', 'instance', 'job', 'value', 'time']
  expect((await taken(text, { header })).rows).toEqual([ROW])
})

test('a person reckons with numbers, and is told where they may be fractions', async () => {
  const text = `time,service,host,idle,ram,disk\n${AT},web,h1,0.15,0.5,7\n`
  const map = { cpu: '100-idle*100' }
  expect(await taken(text, { map })).toMatchObject({
    rows: [['web', 'h1', AT, 85, 0.5, 7]],
    fractions: ['ram'],
  })
})

test('what is reckoned has no more digits than what was read', async () => {
  const text = `${HEAD.replace('cpu', 'idle')}\n${AT},web,h1,92.841,2,3\n`
  expect((await taken(text, { map: { cpu: '100-idle' } })).rows).toEqual([ROW.with(3, 7.159)])
})

test.each([
  ['has a header and no rows', `${HEAD}\n`],
  ['has no row that ends in its first 256 KiB', `${HEAD},note\n${AT},web,h1,1,2,3,${'x'.repeat(300_000)}\n`],
  [
    'a quote opens in line 3 and is not closed',
    `${HEAD}\n${AT},web,h1,1,2,3\n${AT},"web,h1,1,2,3\n${`${AT},web,h1,1,2,3\n`.repeat(99)}`,
  ],
  ['is a row, and no header', `${AT},web,h1,1,2,3\n${AT},web,h1,1,2,3\n`],
  ['has one column only', '1795806128  1  0  84 16\n1795806129  1  0  84 16\n'],
  ['it may be one document', '{\n "rows": [\n  {"cpu": 1}\n ]\n}\n'],
  ['is an array without objects', '[1,2]'],
  [
    'is an error that was answered: parse error at char 3',
    '{"status":"error","errorType":"bad_data","error":"parse error at char 3"}',
  ],
  [
    'is an error that was answered: failed to parse',
    '#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,failed to parse,897\r\n',
  ],
  ['is a page of metrics as they are now', '# TYPE cpu gauge\ncpu{service="web"} 1\nup 1.5e+09\n'],
  [
    'is one document, whose rows are in metrics',
    '{"metrics":[{"fields":{"cpu":1},"timestamp":1795341600}]}\n',
  ],
  ['time is the time, and empty', `${HEAD}\n,web,h1,1,2,3\n`],
  ["is sar's own file", Buffer.from([0x96, 0xd5, 0x75, 0x21])],
  [
    'is a report of sar',
    'Linux 6.1.0-38-amd64 (web-1) \t11/22/26 \t_x86_64_\t(2 CPU)\n\n10:00:00  CPU  %user\n',
  ],
  ['is compressed with bzip2', 'BZh91AY&SY'],
  ['is a ZIP archive or a workbook', 'PK\x03\x04'],
  ['is no text, and of no other format', 'a\0b\0\n'],
])('refused: %s', async (words, content) => {
  await expect(taken(content)).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining(words),
  })
})
