import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiRig } from './rig.ts'

const PATHS = ['/', '/analysis?from=2026-11-22&to=2026-11-22', '/live', '/system']
let pages: string

beforeAll(() => {
  pages = mkdtempSync(join(tmpdir(), 'tidemark-pages-'))
  mkdirSync(join(pages, 'assets'))
  writeFileSync(join(pages, 'index.html'), '<!doctype html><title>Tidemark</title>')
  writeFileSync(join(pages, 'assets', 'index-abc.js'), 'export {}')
})
afterAll(() => rmSync(pages, { recursive: true }))

test('every page is the same file, which is asked for again each time', async () => {
  await using rig = await apiRig({ pages })
  for (const url of PATHS) {
    const { statusCode, headers, body } = await rig.app.inject({ url })
    expect([url, statusCode, headers['cache-control']]).toEqual([url, 200, 'no-cache'])
    expect(headers['content-type']).toMatch(/^text\/html/)
    expect(headers['content-security-policy']).toContain("script-src 'self';")
    expect(body).toContain('<title>Tidemark</title>')
  }
})

test.for([
  ['from=2026-02-30&to=2026-03-01', 400],
  ['from=2026-11-22', 400],
  ['from=2026-11-23&to=2026-11-22', 400],
  ['from=2026-11-22T10:00&to=2026-11-22T10:00', 400],
  ['from=2026-11-22&to=2026-11-22&tz=Mars/Olympus', 400],
  ['from=a&from=b&to=2026-11-22', 400],
  ['last=fortnight', 400],
  ['last=0d', 400],
  ['last=7d', 200],
  ['from=2026-11-22T10:00:00%2B01:00&to=2026-11-22T11:00Z', 200],
  ['from=2011-12-30&to=2011-12-30&tz=Pacific/Apia', 200],
] as const)('an address with %s is the page, with status %i', async ([asked, status]) => {
  await using rig = await apiRig({ pages })
  for (const path of ['/', '/analysis']) {
    const { statusCode, headers, body } = await rig.app.inject({ url: `${path}?${asked}` })
    expect([path, statusCode, headers['cache-control']]).toEqual([path, status, 'no-cache'])
    expect(body).toContain('<title>Tidemark</title>')
  }
})

test('what a page loads is kept for ever, and nothing else is served', async () => {
  await using rig = await apiRig({ pages })
  const { statusCode, headers } = await rig.app.inject({ url: '/assets/index-abc.js' })
  expect([statusCode, headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
  for (const url of [
    '/assets/none.js',
    '/assets/../../package.json',
    '/assets/%2e%2e/index.html',
    '/index.html',
  ])
    expect((await rig.app.inject({ url })).statusCode, url).toBe(404)
})

test('where the pages are not built a sentence says what to do, and the API answers', async () => {
  await using rig = await apiRig({ pages: join(pages, 'none') })
  for (const url of PATHS) {
    const answer = await rig.app.inject({ url })
    expect([url, answer.statusCode, answer.json().detail]).toEqual([url, 404, 'the pages are not built'])
    expect(answer.json().hint).toContain('npm run pages')
  }
  expect((await rig.app.inject({ url: '/v1/services' })).statusCode).toBe(200)
  const none = await rig.app.inject({ url: '/none', headers: { accept: 'text/html' } })
  expect([none.statusCode, none.json().code]).toEqual([404, 'E_NOT_FOUND'])
})

test('a browser that asks for a page that there is not gets the pages, which say so; a program a problem', async () => {
  await using rig = await apiRig({ pages })
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
  for (const url of ['/analytics', '/analysis/', '/assets-none', '/%3Cscript%3E']) {
    const page = await rig.app.inject({ url, headers: { accept } })
    expect([url, page.statusCode, page.headers['cache-control']]).toEqual([url, 404, 'no-cache'])
    expect(page.body).toContain('<title>Tidemark</title>')
    const { headers } = await rig.app.inject({ url })
    expect([url, headers['content-type']]).toEqual([url, 'application/problem+json; charset=utf-8'])
  }
  for (const [url, method] of [
    ['/v1/none', 'GET'],
    ['/none', 'POST'],
    ['/', 'POST'],
  ] as const) {
    const { statusCode, headers } = await rig.app.inject({ url, method, headers: { accept } })
    expect([url, statusCode]).toEqual([url, url === '/' ? 405 : 404])
    expect(headers['content-type']).toMatch(/problem/)
  }
})
