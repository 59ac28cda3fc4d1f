import { parquetMetadata, parquetSchema } from 'hyparquet'
import parquet from 'parquetjs-lite'
import { expect, test } from 'vitest'
import { decodeParquet } from '../../../lake/parquet/codec.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { statsColumns } from '../../../serving/http/columns.ts'
import { hostColumns } from '../../sim/messages.ts'
import { apiRig } from './rig.ts'

type Row = { readonly [column: string]: never }
const DAY = 'from=2026-11-22&to=2026-11-23'

async function listsRig() {
  const rig = await apiRig()
  await rig.send('web', 'h1', '2026-11-22T09:00:00Z', [99, 1, 1])
  await rig.send('Web 2', 'h2', '2026-11-22T08:00:00Z', [1, 1, 1])
  return {
    ...rig,
    json: async (url: string) => (await rig.app.inject({ url })).json(),
    [Symbol.asyncDispose]: rig[Symbol.asyncDispose],
  }
}

const names = (rows: readonly Row[]) => rows.map(({ service, host }) => host ?? service)

test('lists are filtered, sorted and paged', async () => {
  await using rig = await listsRig()
  const cases: [url: string, named: string, found: string[]][] = [
    ['/v1/services', 'services', ['Web 2', 'checkout', 'search', 'web']],
    ['/v1/services?q=WEB', 'services', ['Web 2', 'web']],
    ['/v1/services?sort=-messages', 'services', ['checkout', 'Web 2', 'search', 'web']],
    ['/v1/services?sort=first_minute&limit=2', 'services', ['Web 2', 'web']],
    ['/v1/services?service=web', 'services', ['web']],
    ['/v1/hosts?sort=-host', 'hosts', ['web-9', 'web-2', 'web-1', 'h2', 'h1']],
    ['/v1/hosts?service=checkout&q=2', 'hosts', ['web-2']],
    [`/v1/analytics?${DAY}&sort=-cpu.max`, 'services', ['web', 'checkout', 'search', 'Web 2']],
    [`/v1/analytics?${DAY}&sort=-cpu.p95&limit=1`, 'services', ['web']],
    [`/v1/analytics?${DAY}&q=e&limit=3`, 'services', ['Web 2', 'checkout', 'search']],
    [`/v1/analytics?${DAY}&by=host&sort=-messages&limit=1`, 'services', ['web-1']],
    [`/v1/views/host_minute/analytics?${DAY}&service=checkout`, 'keys', ['web-1', 'web-2']],
  ]
  for (const [url, named, expected] of cases)
    expect([url, names((await rig.json(url))[named])]).toEqual([url, expected])
})

test('a page says how many rows there are and where the next begins', async () => {
  await using rig = await listsRig()
  for (const path of ['/v1/services?', `/v1/analytics?${DAY}&`, `/v1/analytics?${DAY}&sort=cpu.mean&`]) {
    const all = (await rig.json(path)).services
    const first = await rig.json(`${path}limit=3`)
    expect([first.total, first.services]).toEqual([4, all.slice(0, 3)])
    const rest = await rig.json(`${path}limit=3&after=${first.next}`)
    expect([rest.services, rest.next, rest.complete]).toEqual([all.slice(3), undefined, true])
  }
})

test('in the order of any column the pages of few rows are those of the whole list', async () => {
  await using rig = await listsRig()
  const columns = statsColumns(serviceMinute).map(({ path }) => path)
  expect(columns.length).toBeGreaterThan(20)
  for (const sort of columns.flatMap((path) => [path, `-${path}`])) {
    const path = `/v1/analytics?${DAY}&sort=${sort}`
    const { services } = await rig.json(path)
    const paged: Row[] = []
    for (let after = ''; ; ) {
      const page = await rig.json(`${path}&limit=1${after}`)
      expect([page.total, page.complete]).toEqual([4, true])
      paged.push(...page.services)
      if (page.next === undefined) break
      after = `&after=${page.next}`
    }
    expect([sort, paged]).toEqual([sort, services])
  }
})

test('what a list has not is refused by name', async () => {
  await using rig = await listsRig()
  const cases: [string, string][] = [
    ['/v1/services?sort=cpu.p95', 'sort'],
    ['/v1/services?limit=0', 'limit'],
    ['/v1/services?limit=10001', 'limit'],
    ['/v1/services?limit=many', 'limit'],
    ['/v1/services?limit=true', 'limit'],
    ['/v1/services?limit=1&limit=2', 'limit'],
    ['/v1/services?limit=1e3', 'limit'],
    ['/v1/services?after=x', 'after'],
    [`/v1/analytics?${DAY}&by=host&sort=cpu.p95`, 'sort'],
    [`/v1/views/service_minute/series?${DAY}&fields=cpu.median`, 'fields'],
  ]
  for (const [url, parameter] of cases)
    expect([url, await rig.json(url)]).toEqual([url, expect.objectContaining({ status: 400, parameter })])
})

test('the series of many keys are those of each, on the pages of analytics', async () => {
  await using rig = await listsRig()
  const range = 'from=2026-11-22T08:00Z&to=2026-11-22T11:00Z&step=1h'
  const path = '/v1/views/service_minute'
  const {
    keys,
    t,
    step_ms: stepMs,
    total,
    next,
  } = await rig.json(`${path}/series?${range}&sort=-cpu.max&limit=2`)
  const { keys: page } = await rig.json(
    `${path}/analytics?${range.replace('&step=1h', '')}&sort=-cpu.max&limit=2`,
  )
  expect([names(keys), t.length, stepMs, total, typeof next]).toEqual([
    names(page),
    3,
    3_600_000,
    4,
    'string',
  ])
  for (const { service, ...columns } of keys) {
    const one = await rig.json(`/v1/services/${service}/series?${range}`)
    expect({ t, ...columns, step_ms: stepMs, complete: true }).toEqual(one)
  }
  const small = await rig.json(`${path}/series?${range}&fields=cpu.mean,messages&service=search`)
  expect(small).toMatchObject({ cpu: { mean: [null, null, 5] }, messages: [null, null, 1] })
  expect(Object.keys(small)).toEqual(['t', 'cpu', 'messages', 'step_ms', 'complete'])
  expect((await rig.json(`${path}/series?${range}&fields=messages&limit=1`)).keys).toEqual([
    { service: 'Web 2', messages: [1, null, null] },
  ])
})

test('every list comes as CSV and as Parquet with the same rows', async () => {
  await using rig = await listsRig()
  const cases: [url: string, named: string][] = [
    ['/v1/services?sort=-messages', 'services'],
    ['/v1/hosts?limit=3', 'hosts'],
    [`/v1/analytics?${DAY}&sort=-cpu.max`, 'services'],
    ['/v1/views/host_minute/keys?', 'keys'],
  ]
  for (const [url, named] of cases) {
    const rows = (await rig.json(url))[named]
    const csv = await rig.app.inject({ url: `${url}&format=csv&bom=1` })
    expect(csv.headers['content-disposition']).toMatch(/^attachment; filename="[\w-]+\.csv"$/)
    expect(csv.headers['tidemark-complete']).toBe('true')
    const lines = csv.body.split('\r\n')
    expect([lines[0]!.charCodeAt(0), lines.length]).toEqual([0xfeff, rows.length + 2])
    const file = await rig.app.inject({ url: `${url}&format=parquet` })
    const reader = await parquet.ParquetReader.openBuffer(file.rawPayload)
    const cursor = reader.getCursor()
    for (const row of rows) {
      const read = (await cursor.next()) as { [column: string]: unknown }
      expect(read.service).toBe(row.service)
      if (row.cpu !== undefined) expect(read.cpu_mean).toBe(row.cpu.mean)
      if (row.silent !== undefined) expect(read.silent).toBe(row.silent)
    }
    expect(await cursor.next()).toBeNull()
  }
})

test('more rows than are written one by one come in parts, with the same columns', async () => {
  await using rig = await apiRig()
  const services = 10_050
  const timeMs = Date.parse('2026-11-22T09:00:00.000Z')
  await rig.append(
    hostColumns(
      Array.from({ length: services }, (_, i) => ({
        service: `s${i}`,
        host: `h${i}`,
        timeMs: timeMs + i,
        gauges: [i / 10, 1e-9, 3],
      })),
    ),
  )
  const cases: [url: string, named: string][] = [
    ['/v1/services?sort=-messages', 'services'],
    ['/v1/hosts?', 'hosts'],
    [`/v1/analytics?${DAY}`, 'services'],
    ['/v1/views/host_minute/keys?', 'keys'],
  ]
  for (const [url, named] of cases) {
    const rows = (await rig.app.inject({ url })).json()[named] as Row[]
    const { statusCode, headers, rawPayload } = await rig.app.inject({ url: `${url}&format=parquet` })
    expect([url, statusCode, headers['tidemark-complete'], headers['content-length']]).toEqual([
      url,
      200,
      'true',
      undefined,
    ])
    const few = await rig.app.inject({ url: `${url}&format=parquet&limit=3` })
    const schema = (file: Buffer) =>
      parquetSchema(parquetMetadata(bufferOf(file))).children.map(({ element }) => element)
    expect(schema(rawPayload).map(({ name, type }) => [name, type])).toEqual(
      schema(few.rawPayload).map(({ name, type }) => [name, type]),
    )
    expect(parquetMetadata(bufferOf(rawPayload)).row_groups.length).toBe(11)
    const read = await decodeParquet(rawPayload)
    const same = (column: string, of: (row: Row) => unknown) => expect(read[column]).toEqual(rows.map(of))
    same('service', ({ service }) => service)
    if (named === 'hosts') same('silent', ({ silent }) => silent)
    if ('first_minute' in rows[0]!) same('first_minute', (row) => Date.parse(row.first_minute!))
    if ('cpu' in rows[0]!) {
      const cpu = (row: Row) => row.cpu as unknown as { mean: number; max_host: string; max_time: string }
      same('cpu_mean', (row) => cpu(row).mean)
      same('cpu_max_host', (row) => cpu(row).max_host)
      same('cpu_max_time', (row) => Date.parse(cpu(row).max_time))
    }
  }
})

const bufferOf = ({ buffer, byteOffset, byteLength }: Buffer) =>
  buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
