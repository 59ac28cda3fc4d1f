import { expect, test } from 'vitest'
import { parseOrigins } from '../../../cli/settings/values.ts'
import { TestAccess } from '../../sim/access.ts'
import { apiRig } from './rig.ts'

const BOARD = 'https://board.example.org'
const preflight = {
  'access-control-request-method': 'GET',
  'access-control-request-headers': 'authorization',
}
const bearer = { authorization: 'Bearer looks' }

test('a listed origin asks first without a token, then with one, and is told what it may read', async () => {
  await using rig = await apiRig({ access: new TestAccess({ looks: 'viewer' }), cors: [BOARD] })
  const may = await rig.app.inject({
    method: 'OPTIONS',
    url: '/v1/services',
    headers: { ...preflight, origin: BOARD },
  })
  expect([may.statusCode, may.body]).toEqual([204, ''])
  expect(may.headers).toMatchObject({
    'access-control-allow-origin': BOARD,
    'access-control-allow-headers': expect.stringContaining('Authorization'),
    'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
    vary: expect.stringContaining('Origin'),
  })
  const headers = { ...bearer, origin: BOARD, 'sec-fetch-site': 'cross-site' }
  const answer = await rig.app.inject({ url: '/v1/services', headers })
  expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, BOARD])
  expect(answer.headers.vary).toContain('Origin')
  const refused = await rig.app.inject({ url: '/v1/services', headers: { origin: BOARD } })
  expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([401, BOARD])
})

test('no cookie counts for another origin, and none is invited', async () => {
  await using rig = await apiRig({ access: new TestAccess({ all: 'admin' }), cors: [BOARD] })
  const payload = 'token=all'
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const signed = await rig.app.inject({ method: 'POST', url: '/sign-in', headers: form, payload })
  const cookie = String(signed.headers['set-cookie']).split(';')[0]!
  for (const site of [{}, { 'sec-fetch-site': 'cross-site' }]) {
    const headers = { cookie, origin: BOARD, ...site }
    const read = await rig.app.inject({ url: '/v1/services', headers })
    expect([read.statusCode, read.headers['access-control-allow-credentials']]).toEqual([401, undefined])
    const start = await rig.app.inject({ method: 'POST', url: '/v1/runs', headers })
    expect([401, 403]).toContain(start.statusCode)
  }
})

test('where nobody needs a token a listed origin reads, and starts nothing', async () => {
  await using rig = await apiRig({ cors: [BOARD] })
  const headers = { origin: BOARD, 'sec-fetch-site': 'cross-site' }
  expect((await rig.app.inject({ url: '/v1/services', headers })).statusCode).toBe(200)
  expect((await rig.app.inject({ method: 'POST', url: '/v1/runs', headers })).statusCode).toBe(403)
})

test('other origins are told nothing, and by default all are others', async () => {
  for (const cors of [[], [BOARD]]) {
    await using rig = await apiRig({ cors })
    for (const origin of [
      'https://evil.example',
      'null',
      `${BOARD}.evil.example`,
      BOARD.replace('https', 'http'),
      `${BOARD}:444`,
    ]) {
      const answers = [
        await rig.app.inject({ method: 'OPTIONS', url: '/v1/services', headers: { ...preflight, origin } }),
        await rig.app.inject({ url: '/v1/services', headers: { origin } }),
      ]
      for (const { headers } of answers)
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  }
})

test('origins are written as browsers do, each by name', () => {
  expect(parseOrigins('')).toEqual([])
  expect(parseOrigins(`${BOARD}, http://localhost:3000`)).toEqual([BOARD, 'http://localhost:3000'])
  for (const wrong of [
    '*',
    'null',
    `${BOARD}/`,
    'board.example.org',
    'https://*.example.org/',
    'file://',
    `${BOARD},`,
  ])
    expect([wrong, parseOrigins(wrong)]).toEqual([wrong, null])
})
