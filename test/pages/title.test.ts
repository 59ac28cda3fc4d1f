import { expect, test } from 'vitest'
import type { View } from '../../pages/api/types.ts'
import { newsTitle, pageTitle } from '../../pages/shell/title.ts'

const views = [
  { name: 'service_minute', key: ['service'] },
  { name: 'host_minute', key: ['service', 'host'] },
] as unknown as View[]

test.each([
  ['/', '', 'Tidemark'],
  ['/system', '', 'System – Tidemark'],
  ['/analysis', 'last=7d', 'Analysis – Tidemark'],
  ['/analysis', 'service=checkout', 'checkout – Tidemark'],
  ['/analysis', 'view=host_minute&service=checkout', 'Analysis – Tidemark'],
  ['/analysis', 'view=host_minute&service=checkout&host=web-1', 'checkout · web-1 – Tidemark'],
  ['/analysis', 'view=none&service=checkout', 'Analysis – Tidemark'],
  ['/analysis', 'service=%E2%80%AEa', '\\u202ea – Tidemark'],
])('%s?%s is called %s', (path, query, title) => {
  expect(pageTitle({ path, params: new URLSearchParams(query) }, views)).toBe(title)
})

test('before anything is known a key is not', () => {
  expect(pageTitle({ path: '/analysis', params: new URLSearchParams('service=a') }, null)).toBe(
    'Analysis – Tidemark',
  )
})

test('the home page says in its tab what fell silent and what is busy', () => {
  const titles = [newsTitle(0, 0), newsTitle(2, 0), newsTitle(0, 1), newsTitle(2, 1)]
  expect(titles).toEqual([
    'Tidemark',
    '2 silent – Tidemark',
    '1 busy – Tidemark',
    '2 silent, 1 busy – Tidemark',
  ])
})
