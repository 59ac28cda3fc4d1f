import { expect, test } from 'vitest'
import { apiRig } from './rig.ts'

const CLOSED = 'from=2026-11-22T10:00Z&to=2026-11-22T10:01Z'
const PATHS = [
  '/v1/services/search/stats?',
  '/v1/services/search/minutes?',
  '/v1/services/search/minutes?format=csv&',
  '/v1/services/search/series?step=1m&',
  '/v1/views/service_minute/series?fields=cpu.max&',
  '/v1/analytics?',
]

type Rig = Awaited<ReturnType<typeof apiRig>>
const ask = (rig: Rig, url: string, etag?: unknown) =>
  rig.app.inject({ url, headers: etag === undefined ? {} : { 'if-none-match': String(etag) } })

test('a closed range is not sent twice', async () => {
  await using rig = await apiRig()
  const etags = new Set<unknown>()
  for (const path of PATHS) {
    const first = await ask(rig, `${path}${CLOSED}`)
    const { etag } = first.headers
    expect([path, first.statusCode, first.headers['cache-control']]).toEqual([path, 200, 'no-cache'])
    expect(etag).toMatch(/^W\/"[\w-]{22}"$/)
    etags.add(etag)
    const again = await ask(rig, `${path}${CLOSED}`, etag)
    expect([path, again.statusCode, again.body, again.headers.etag]).toEqual([path, 304, '', etag])
    expect((await ask(rig, `${path}${CLOSED}`, 'W/"other"')).statusCode).toBe(200)
  }
  expect(etags.size).toBe(PATHS.length)
})

test('what speed holds a part of, and what is none, has no ETag', async () => {
  await using rig = await apiRig()
  const open = await ask(rig, '/v1/services/checkout/stats?from=2026-11-22T10:00Z&to=2026-11-22T10:02Z')
  expect([open.statusCode, open.headers.etag]).toEqual([200, undefined])
  const unknown = await ask(rig, `/v1/services/nobody/stats?${CLOSED}`)
  expect([unknown.statusCode, unknown.headers.etag]).toEqual([404, undefined])
})

test('a late message ends it, a run gives another, and a run over other days leaves it', async () => {
  await using rig = await apiRig()
  const url = `/v1/services/search/stats?${CLOSED}`
  const publish = async () => {
    await rig.batch.run({ full: false })
    await rig.answers.refresh()
  }
  await publish()
  const before = (await ask(rig, url)).headers.etag
  await rig.send('search', 'web-9', '2026-11-20T10:00:00Z', [1, 2, 3])
  await publish()
  const after = await ask(rig, url, before)
  expect(after.statusCode).toBe(304)
  await rig.send('search', 'web-9', '2026-11-22T10:00:40Z', [90, 2, 3])
  const late = await ask(rig, url, before)
  expect([late.statusCode, late.headers.etag, late.json().messages]).toEqual([200, undefined, 2])
  await publish()
  const published = await ask(rig, url, before)
  expect([published.statusCode, published.json().cpu.max]).toEqual([200, 90])
  expect(published.headers.etag).toMatch(/^W/)
  expect(published.headers.etag).not.toBe(before)
})
