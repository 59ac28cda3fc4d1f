import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Dataset } from '../../../schemas/dataset.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { taken } from './taken.ts'

/** Files of other tools that have a row, a column or an object for each series. */

/** A dataset with one gauge. */
const load: Dataset = { ...host, name: 'load', gauges: host.gauges.slice(0, 1) }

const AT = '2026-11-22T10:00:00.000Z'
const INFLUX = `#group,false,false,true,true,false,false,true,true,true,true
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string,string
#default,_result,,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,cpu,host
,,0,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:00Z,12.5,usage_active,cpu,cpu-total,h#1
,,0,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:10Z,13.5,usage_active,cpu,cpu-total,h#1
,,1,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:00Z,50,usage_active,cpu,cpu-total,"h,2"

#group,false,false,true,true,false,false,true,true,true
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string
#default,_result,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,host
,,2,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:00Z,40,used_percent,mem,h#1
,,2,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:10Z,41,used_percent,mem,h#1
,,3,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:00Z,42,used_percent,mem,"h,2"

#group,false,false,true,true,false,false,true,true,true,true
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string,string
#default,_result,,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,host,path
,,4,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:00Z,70,used_percent,disk,h#1,/
,,4,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:10Z,71,used_percent,disk,h#1,/
,,5,2026-11-22T09:00:00Z,2026-11-22T11:00:00Z,2026-11-22T10:00:00Z,72,used_percent,disk,"h,2",/
`
const INFLUX_ROWS = [
  ['web', 'h#1', AT, 12.5, 40, 70],
  ['web', 'h,2', AT, 50, 42, 72],
  ['web', 'h#1', '2026-11-22T10:00:10.000Z', 13.5, 41, 71],
]

test.each([
  ['plain', (text: string) => text],
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)('tables of InfluxDB with annotations and columns of their own, %s', async (_, pack) => {
  const found = await taken(pack(INFLUX.replaceAll('\n', '\r\n')), { set: { service: 'web' } })
  expect(found.rows).toEqual(INFLUX_ROWS)
  expect(found).toMatchObject({
    words: 'tables of InfluxDB',
    values: ['cpu usage_active', 'disk used_percent', 'mem used_percent'],
    repeated: 0,
    refused: [],
  })
})

test('labels tell values apart where the names do not, and a value that stands twice is taken once', async () => {
  const more = INFLUX.trim().split('\n').slice(-3)
  const home = more.map((line) => line.replace(/\/$/, '/home').replace(/,7(\d),/, ',9$1,'))
  const text = [INFLUX.trim(), ...home, more[0], ''].join('\n')
  const map = { disk: 'disk used_percent path=/home' }
  const found = await taken(text, { set: { service: 'web' }, map })
  expect(found.rows.map((row) => row.at(-1))).toEqual([90, 92, 91])
  expect(found.repeated).toBe(1)
  const root = await taken(text, { set: { service: 'web' } })
  expect(root.rows.map((row) => row.at(-1))).toEqual([70, 72, 71])
  await expect(taken(text.replaceAll(/\/$/gm, '/srv'), { set: { service: 'web' } })).rejects.toThrow(
    'disk used_percent path=/home, disk used_percent path=/srv',
  )
})

test('InfluxDB rows in long form without annotations, a measurement as the service', async () => {
  const text = `_time,_value,_field,_measurement\n${['cpu', 'ram', 'disk'].map((f, i) => `${AT},${i},${f},web\n`).join('')}`
  const { rows } = await taken(text, { map: { service: '_measurement' } })
  expect(rows).toEqual([['web', 'import', AT, 0, 1, 2]])
})

test('Grafana with a column for each series: labels in its head are names', async () => {
  const head = ['cpu', 'ram', 'disk'].flatMap((f) =>
    ['web', 'db'].map((s) => `"${f} {service=""${s}"", instance=""h:1""}"`),
  )
  const text = `sep=,\n"Time",${head.join(',')}\n2026-11-22 11:00:00,1.5%,2.5%,3,4,5,6\n2026-11-22 11:01:00,1,,3,null,5,undefined\n`
  const found = await taken(text, { zone: 'Europe/Berlin' })
  expect(found.words).toBe('a column for each series')
  expect(found.rows).toEqual([
    ['db', 'h:1', AT, 2.5, 4, 6],
    ['web', 'h:1', AT, 1.5, 3, 5],
    ['web', 'h:1', '2026-11-22T10:01:00.000Z', 1, 3, 5],
  ])
})

test.each([
  ['"Time","cpu {service=\\"web\\"}","ram {service=\\"web\\"}","disk {service=\\"web\\"}"', 'backslashes'],
  [
    'Time;"{__name__=""cpu"", service=""web""}";"{__name__=""ram"", service=""web""}";"{__name__=""disk"", service=""web""}"',
    'names as labels',
  ],
  ['Time\tcpu {service: web}\tram {service: web}\tdisk {service: web}', 'colons'],
])('heads of Grafana: %s', async (head) => {
  const delimiter = /Time"?(.)/.exec(head)![1]!
  const { rows } = await taken(`${head}\n${[Date.parse(AT), 1, 2, 3].join(delimiter)}\n`)
  expect(rows).toEqual([['web', 'import', AT, 1, 2, 3]])
})

test('Grafana with a column for each service: the only value is the only gauge', async () => {
  const text = 'Time,web,db\n2026-11-22 10:00:00,1,2\n2026-11-22 10:00:10,,4\n'
  const { rows, values } = await taken(text, {}, load)
  expect(values).toEqual(['value'])
  expect(rows).toEqual([
    ['db', 'import', AT, 2],
    ['web', 'import', AT, 1],
    ['db', 'import', '2026-11-22T10:00:10.000Z', 4],
  ])
  const hosts = await taken(text, { set: { service: 'shop' } }, load)
  expect(hosts.rows[0]).toEqual(['shop', 'db', AT, 2])
  await expect(taken(text)).rejects.toThrow(
    'no column is cpu or ram or disk; made of a column for each series are Time, series, value',
  )
})

test("Prometheus' answer to a range query and to an instant one", async () => {
  const metric = (name: string) => ({ __name__: name, job: 'web', instance: 'h "1":9100' })
  const seconds = Date.parse(AT) / 1_000
  const answer = (resultType: string, result: unknown) =>
    JSON.stringify({ status: 'success', data: { resultType, result } })
  const values = (one: number) => [
    [seconds, String(one)],
    [seconds + 15.5, 'NaN'],
  ]
  const matrix = ['cpu', 'ram', 'disk'].map((name, i) => ({ metric: metric(name), values: values(i) }))
  const found = await taken(gzipSync(answer('matrix', matrix)))
  expect(found.words).toBe("Prometheus' answer to a query")
  expect(found.rows).toEqual([['web', 'h "1":9100', AT, 0, 1, 2]])
  const vector = [{ metric: { service: 'db' }, value: [seconds, '7'] }]
  expect((await taken(JSON.stringify(JSON.parse(answer('vector', vector)), null, 2), {}, load)).rows).toEqual(
    [['db', 'import', AT, 7]],
  )
})

test("a row for each value, and VictoriaMetrics' export", async () => {
  const names = ['cpu', 'ram', 'disk']
  const csv = `name,timestamp,value,instance,job\n${names.map((name, i) => `${name},${Date.parse(AT) / 1_000},${i},h1,web`).join('\n')}\n`
  expect((await taken(csv)).rows).toEqual([['web', 'h1', AT, 0, 1, 2]])
  const series = `Series;Time;Value\n${names.map((name, i) => `"${name}{service=""web""}";${AT};${i}`).join('\n')}\n`
  expect((await taken(series)).rows).toEqual([['web', 'import', AT, 0, 1, 2]])
  const lines = names.map((name, i) =>
    JSON.stringify({
      metric: { __name__: name, job: 'web', host: 'h1' },
      values: [i],
      timestamps: [Date.parse(AT)],
    }),
  )
  expect((await taken(lines.join('\n'))).rows).toEqual([['web', 'h1', AT, 0, 1, 2]])
})

/** As `sadf -d -- -u -r -F` writes it: a table for each activity, and a row where the machine was started. */
const SADF = `# hostname;interval;timestamp;CPU;%user;%idle
vm;1;2026-11-22 10:00:00 UTC;-1;10.00;90.00
vm;-1;2026-11-22 10:00:05 UTC;LINUX-RESTART	(2 CPU)
vm;1;2026-11-22 10:00:10 UTC;-1;20.00;80.00
# hostname;interval;timestamp;kbmemused;%memused
vm;1;2026-11-22 10:00:00 UTC;2125916;8.61
vm;-1;2026-11-22 10:00:05 UTC;LINUX-RESTART	(2 CPU)
vm;1;2026-11-22 10:00:10 UTC;2290124;9.28
# hostname;interval;timestamp;FILESYSTEM;MBfsfree;%fsused
vm;1;2026-11-22 10:00:00 UTC;/dev/vda;232826;9.76
vm;1;2026-11-22 10:00:10 UTC;/dev/vda;232826;9.77
`
const SADF_ROWS = [
  ['web', 'vm', AT, 10, 8.61, 9.76],
  ['web', 'vm', '2026-11-22T10:00:10.000Z', 20, 9.28, 9.77],
]

test('tables of sadf, one after the other and side by side', async () => {
  const options = { set: { service: 'web' } }
  expect(await taken(SADF, options)).toMatchObject({ words: 'tables of sadf', rows: SADF_ROWS, refused: [] })
  const wide = `# hostname;interval;timestamp;CPU;%user;%idle[...];kbmemused;%memused;FILESYSTEM;MBfsfree;%fsused[...]
vm;1;1795341600;-1;10.00;90.00;2125916;8.61;/dev/vda;232826;9.76
vm;1;1795341610;-1;20.00;80.00;2290124;9.28;/dev/vda;232826;9.77
`
  expect((await taken(wide, { ...options, map: { cpu: '100-%idle' } })).rows).toEqual(SADF_ROWS)
})

test('sadf in a language with a decimal comma', async () => {
  const content = SADF.replace(/(\d)\.(\d\d)/g, '$1,$2')
  expect((await taken(content, { set: { service: 'web' } })).rows).toEqual(SADF_ROWS)
})

test('sadf with several devices side by side is refused with what to do', async () => {
  const content = `# hostname;interval;timestamp;CPU;%user;%idle[...];kbmemused;%memused
vm;1;1795341600;-1;10.00;90.00;0;9.00;91.00;2125916;8.61
`
  await expect(taken(content, { set: { service: 'web' } })).rejects.toMatchObject({
    code: 'E_USAGE',
    hint: expect.stringContaining('`sadf -d` without -h'),
  })
})

test('sadf with a row for each processor', async () => {
  const each = SADF.replace(/^(vm;1;.*);-1;(.*)$/gm, '$1;-1;$2\n$1;0;1.00;2.00')
  const set = { service: 'web' }
  for (const map of [{}, { cpu: '100-%idle CPU=all' }])
    expect((await taken(each, { set, map })).rows).toEqual(SADF_ROWS)
})

test('tables of InfluxDB 1, with tags in a column of their own and without', async () => {
  const tables = `name,tags,time,mean
cpu,"host=h1,cpu=cpu-total",1795341600000000000,12.5
cpu,"host=h1,cpu=cpu-total",1795341610000000000,
name,time,host,used_percent
mem,1795341600000000000,h1,40
name,time,host,path,used_percent
disk,1795341600000000000,h1,/,70
`
  const found = await taken(tables, { set: { service: 'web' }, map: { cpu: 'mean' } })
  expect(found).toMatchObject({ words: 'tables of InfluxDB 1', rows: [['web', 'h1', AT, 12.5, 40, 70]] })
})

test.each([
  [
    'promtool tsdb dump',
    (name: string, i: number) => `{__name__="${name}", instance="h1", job="web"} ${i} 1795341600000`,
  ],
  [
    'OpenMetrics',
    (name: string, i: number) => `# TYPE ${name} gauge\n${name}{instance="h1",job="web"} ${i} 1795341600.000`,
  ],
])('samples of Prometheus, a line each: %s', async (_, line) => {
  const lines = [...['cpu', 'ram', 'disk'].map(line), '# EOF', '']
  expect(await taken(lines.join('\n'))).toMatchObject({ rows: [['web', 'h1', AT, 0, 1, 2]], refused: [] })
})

test("results of Prometheus as promtool prints them, and a series of VictoriaMetrics that is longer than a file's head", async () => {
  const metric = (name: string) => ({ __name__: name, job: 'web', instance: 'h1' })
  const results = ['cpu', 'ram', 'disk'].map((name, i) => ({
    metric: metric(name),
    values: [[1_795_341_600, `${i}`]],
  }))
  expect((await taken(JSON.stringify(results))).rows).toEqual([['web', 'h1', AT, 0, 1, 2]])
  const many = Array.from({ length: 40_000 }, (_, i) => i)
  const lines = ['cpu', 'ram', 'disk'].map((name) =>
    JSON.stringify({ metric: metric(name), values: many, timestamps: many.map((i) => Date.parse(AT) + i) }),
  )
  expect((await taken(lines.join('\n'))).rows[1]).toEqual(['web', 'h1', '2026-11-22T10:00:00.001Z', 1, 1, 1])
})

test("Telegraf's CSV: a row for each measurement, whose fields are empty in others", async () => {
  const at = Date.parse(AT) / 1_000
  const content = `timestamp,measurement,host,path,usage_idle,used_percent
${at},cpu,h1,,90,
${at},mem,h1,,,40
${at},disk,h1,/,,70
`
  const { words, rows, refused } = await taken(content, { set: { service: 'web' } })
  expect([words, rows, refused]).toEqual(['a row for each measurement', [['web', 'h1', AT, 10, 40, 70]], []])
})

test.each([
  ['an attribute', 'time,service,host,measurement,cpu,ram,disk', `${AT},web,h1,m,1,2,3`],
  [
    'what pivot() of InfluxDB leaves',
    ',table,_time,_measurement,service,host,cpu,ram,disk',
    `,0,${AT},m,web,h1,1,2,3`,
  ],
])('rows of all gauges are messages, each of its own, beside a measurement as %s', async (_, head, row) => {
  const { words, accepted } = await taken(`${head}\n${row}\n${row}\n`)
  expect([words, accepted]).toEqual([undefined, 2])
})

test("Telegraf's JSON", async () => {
  const line = (name: string, fields: object) =>
    JSON.stringify({ fields, name, tags: { host: 'h1' }, timestamp: 1_795_341_600 })
  const lines = [
    line('cpu', { usage_active: 1.5, state: 'up' }),
    line('mem', { used_percent: 40 }),
    line('disk', { used_percent: 70 }),
  ]
  const found = await taken(lines.join('\n'), { set: { service: 'web' } })
  expect(found).toMatchObject({ words: "Telegraf's JSON", rows: [['web', 'h1', AT, 1.5, 40, 70]] })
})

test.each([
  ['no label is service; the series have the labels cpu, host, _measurement, path', INFLUX, {}],
  ['the file has no values', '_time,_value,_field\n2026-11-22T10:00:00Z,,cpu\n', {}],
  ['no column is ram', 'Time,"cpu {service=""web""}"\n2026-11-22T10:00:00Z,1\n', {}],
  [
    'no column is cpu or ram or disk; made of tables of InfluxDB are _time, f0, f1,',
    `_time,_value,_field\n${Array.from({ length: 65 }, (_, i) => `${AT},1,f${i}\n`).join('')}`,
    { service: 'web' },
  ],
])('%s', async (words, text, set) => {
  await expect(taken(text, { set })).rejects.toThrow(words)
})

test('rows that lack a value are refused, and say so', async () => {
  const { rows, refused } = await taken(INFLUX.replace(/^.*,70,.*\n/m, ''), { set: { service: 'web' } })
  expect(rows).toHaveLength(2)
  expect(refused).toMatchObject([{ why: 'disk is missing', rows: 1 }])
})

test('a file of messages is none of series, whatever else it has', async () => {
  const text = `service,time,cpu,ram,disk,name,value\nweb,${AT},1,2,3,x,4\n`
  expect(await taken(text)).toMatchObject({ words: undefined, rows: [['web', 'import', AT, 1, 2, 3]] })
  const mapped = `when,name,value\n${AT},x,4\n`
  const options = { map: { cpu: 'value' }, set: { service: 'web', ram: '0', disk: '0' } }
  expect(await taken(mapped, options)).toMatchObject({
    words: undefined,
    rows: [['web', 'import', AT, 4, 0, 0]],
  })
})

test('an answer that is too large to be read as a whole is refused with what to do', async () => {
  const head =
    '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"cpu","job":"web"},"values":['
  const point = '[1795341600,"1"],'
  const large = `${head}${point.repeat(Math.ceil((65 << 20) / point.length))}[1795341600,"1"]]}]}}`
  for (const content of [large, gzipSync(large, { level: 1 })])
    await expect(taken(content)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringMatching(
        /^Prometheus' answer to a query is read as a whole, and is larger than 64 MiB/,
      ),
      hint: expect.stringContaining('a longer step'),
    })
}, 30_000)
