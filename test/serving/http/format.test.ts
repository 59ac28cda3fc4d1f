import { expect, test } from 'vitest'
import { apiRig } from './rig.ts'

const JSON_TYPE = 'application/json'
const PARQUET = 'application/vnd.apache.parquet'

test('rows come as what Accept likes best, in capitals too, and never as what it refuses', async () => {
  await using rig = await apiRig()
  const cases: [string, string][] = [
    ['*/*', JSON_TYPE],
    ['application/xml', JSON_TYPE],
    ['TEXT/CSV', 'text/csv'],
    ['text/csv;q=0', JSON_TYPE],
    ['text/csv;q=x', JSON_TYPE],
    ['application/json;q=0.1, text/csv', 'text/csv'],
    ['text/csv;q=0.5, application/json', JSON_TYPE],
    ['text/csv, application/json', JSON_TYPE],
    [`text/csv;q=0.5,${PARQUET};header=present`, PARQUET],
    ['text/csvx', JSON_TYPE],
  ]
  for (const [accept, type] of cases) {
    const { headers } = await rig.app.inject({ url: '/v1/services', headers: { accept } })
    expect([accept, String(headers['content-type']).split(';')[0]]).toEqual([accept, type])
  }
})

test('an answer that Accept chooses says so to caches', async () => {
  await using rig = await apiRig()
  const range = 'from=2026-11-22&to=2026-11-23'
  for (const url of ['/v1/services', `/v1/analytics?${range}`, `/v1/services/checkout/minutes?${range}`]) {
    const { headers } = await rig.app.inject({ url, headers: { 'accept-encoding': 'gzip' } })
    expect([url, String(headers.vary).split(', ').sort()]).toEqual([url, ['Accept', 'Accept-Encoding']])
  }
})

test('a body of another kind is refused with what it must be', async () => {
  await using rig = await apiRig()
  const post = async (type: string, payload: string) =>
    (
      await rig.app.inject({ method: 'POST', url: '/v1/runs', headers: { 'content-type': type }, payload })
    ).json()
  for (const type of ['application/x-www-form-urlencoded', 'text/xml'])
    expect(await post(type, '{}')).toMatchObject({
      status: 415,
      detail: 'a body must be JSON, with the header content-type: application/json',
    })
  const bare = await post('application/json', '[]')
  expect(bare).toMatchObject({
    status: 400,
    detail: expect.stringMatching(/^the body must be object, in JSON/),
  })
  expect(bare).not.toHaveProperty('parameter')
})
