import type { View } from '../api/types.ts'
import { visible } from '../names/visible.ts'

const NAMES: { readonly [path: string]: string } = {
  '/analysis': 'Analysis',
  '/live': 'Live',
  '/system': 'System',
}

/** What a tab of a browser is called: the key that it shows, or its page. */
export function pageTitle(
  { path, params }: { readonly path: string; readonly params: URLSearchParams },
  views: readonly View[] | null,
): string {
  const named = params.get('view')
  const view = views?.find(({ name }) => name === named) ?? (named === null ? views?.[0] : undefined)
  const key = view?.key.map((column) => params.get(column)) ?? [null]
  const isOne = path === '/analysis' && key.every((value) => value !== null)
  const page = isOne ? key.map((value) => visible(value!)).join(' · ') : NAMES[path]
  return page === undefined ? 'Tidemark' : `${page} – Tidemark`
}

/** What a tab of the home page is called: first what fell silent and what is busy, so that it is seen beside other tabs. */
export function newsTitle(fell: number, busy: number): string {
  const news = [fell > 0 ? [`${fell} silent`] : [], busy > 0 ? [`${busy} busy`] : []].flat().join(', ')
  return news === '' ? 'Tidemark' : `${news} – Tidemark`
}
