import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decodeParquet } from '../../../lake/parquet/codec.ts'
import { apiRig } from './rig.ts'

const DOCS = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8')
const OWN = 'http://127.0.0.1:8080'

/** The addresses that the examples for Excel, Power BI and Qlik ask, as those programs put them together. */
function addressesInDocs(): string[] {
  const [, examples] = /\n## In Excel[^\n]*\n([\s\S]*?)\n## /.exec(DOCS)!
  const queried = [...examples!.matchAll(/Web\.Contents\("([^"]+)",\s*\[Query = \[([^\]]+)\]\]\)/g)]
  const inM = queried.map(([, address, query]) => {
    const pairs = [...query!.matchAll(/(\w+) = "([^"]*)"/g)].map(([, name, value]): [string, string] => [
      name!,
      value!,
    ])
    return `${address}?${new URLSearchParams(pairs)}`
  })
  const inQlik = [...examples!.matchAll(/`(http:[^`?]+\?[^`]+)`/g)].map(([, address]) => address!)
  return [...inM, ...inQlik]
}

test('what the examples for Excel, Power BI and Qlik ask is answered in flat rows', async () => {
  await using rig = await apiRig()
  const addresses = addressesInDocs()
  expect(addresses.map((address) => new URL(address).origin)).toEqual([OWN, OWN, OWN])
  const [excel, powerBi, qlik] = await Promise.all(
    addresses.map((address) => rig.app.inject({ url: address.slice(OWN.length) })),
  )
  for (const { statusCode, headers, body } of [excel!, qlik!]) {
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8'])
    const rows = body
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(','))
    expect(rows.map(([service]) => service)).toEqual(['service', 'checkout', 'search'])
    expect(new Set(rows.map(({ length }) => length)).size).toBe(1)
  }
  expect([powerBi!.statusCode, powerBi!.headers['content-type']]).toEqual([
    200,
    'application/vnd.apache.parquet',
  ])
  const minutes = await decodeParquet(powerBi!.rawPayload)
  expect(minutes.service).toEqual(['checkout', 'checkout'])
})

const GAUGES = ['cpu', 'ram', 'disk']
const perGauge = (columns: (gauge: string) => string[]) => GAUGES.flatMap(columns)

/** Columns that a report was made with must not move: new ones come behind. */
const COLUMNS: readonly [path: string, columns: readonly string[]][] = [
  ['/v1/services?', ['service', 'first_minute', 'last_minute', 'messages']],
  ['/v1/hosts?', ['service', 'host', 'first_minute', 'last_minute', 'messages']],
  [
    '/v1/analytics?from=2026-11-22&to=2026-11-23&',
    [
      ...['service', 'from', 'to', 'messages'],
      ...perGauge((gauge) =>
        ['total', 'mean', 'max', 'max_time', 'max_host', 'min', 'p50', 'p95', 'p99'].map(
          (field) => `${gauge}_${field}`,
        ),
      ),
    ],
  ],
  [
    '/v1/services/checkout/minutes?from=2026-11-22&to=2026-11-23&',
    [
      ...['service', 'time_stamp', ...GAUGES],
      ...perGauge((gauge) => [`max_${gauge}_time`, `max_${gauge}`]),
      'msg_num',
      ...perGauge((gauge) => [`max_${gauge}_host`]),
      ...perGauge((gauge) => [`min_${gauge}`]),
      ...perGauge((gauge) => [`${gauge}_sketch`]),
    ],
  ],
]

test.each(COLUMNS)('the columns of %s keep their names and order', async (path, columns) => {
  await using rig = await apiRig()
  const csv = await rig.app.inject({ url: `${path}format=csv` })
  const header = csv.body.split('\r\n')[0]!.split(',')
  expect(header.slice(0, columns.length)).toEqual(columns)
  const file = await rig.app.inject({ url: `${path}format=parquet` })
  expect(Object.keys(await decodeParquet(file.rawPayload))).toEqual(header)
})
