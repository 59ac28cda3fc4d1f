import { expect, test } from 'vitest'
import { docsPage } from '../../../serving/http/docs/page.ts'
import { apiRig } from './rig.ts'

test('/docs names every path, parameter and answer, and loads nothing from elsewhere', async () => {
  await using rig = await apiRig()
  const document = (await rig.app.inject({ url: '/openapi.json' })).json()
  const { body, headers } = await rig.app.inject({ url: '/docs' })
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods as object)) {
      expect(body).toContain(`<span class="method">${method.toUpperCase()}</span> ${path}<`)
      for (const { name } of operation.parameters ?? []) expect(body).toContain(`<code>${name}</code>`)
    }
  expect(body).not.toMatch(/<script|style=|https?:\/\//)
  const sheets = [...body.matchAll(/(?:src|stylesheet" href)="([^"]+)"/g)].map(([, url]) => url!)
  expect(sheets).toEqual(['/docs.css'])
  expect((await rig.app.inject({ url: '/docs.css' })).headers['content-type']).toBe('text/css; charset=utf-8')
})

test('what a document says is text, never markup', () => {
  const page = docsPage({
    info: { title: '<b>', version: '1' },
    paths: { '/<x>': { get: { summary: '"<i>', responses: { 200: {} } } } },
  })
  expect(page).toContain('/&lt;x&gt;')
  expect(page).not.toMatch(/<b>[^G]|<i>|<x>/)
})
