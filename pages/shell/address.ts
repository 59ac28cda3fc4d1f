import { useEffect, useState } from 'preact/hooks'
import { isOtherPlace } from './place.ts'
import { findPlace, keepPlace } from './place-kept.ts'

/** The address is the state of a page, so that every view is a link. */
export interface Address {
  readonly path: string
  readonly params: URLSearchParams
}

export const PATHS = ['/', '/analysis', '/live', '/system'] as const

const here = (): Address => ({ path: location.pathname, params: new URLSearchParams(location.search) })
const CHANGED = 'tidemark:address'

/** Follows the address, and makes links between pages change it without loading anything. */
export function useAddress(): Address {
  const [address, setAddress] = useState(here)
  useEffect(() => {
    const look = () => setAddress(here())
    const back = () => {
      look()
      findPlace()
    }
    window.addEventListener('popstate', back)
    window.addEventListener(CHANGED, look)
    document.addEventListener('click', follow)
    return () => {
      window.removeEventListener('popstate', back)
      window.removeEventListener(CHANGED, look)
      document.removeEventListener('click', follow)
    }
  }, [])
  return address
}

function follow(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest?.('a')
  if (!link || event.defaultPrevented || event.button !== 0 || link.hasAttribute('download')) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target !== '') return
  if (link.origin !== location.origin || !(PATHS as readonly string[]).includes(link.pathname)) return
  if (link.hash !== '' && link.pathname === location.pathname) return
  event.preventDefault()
  go(link.href)
}

/** Goes to an address, and to the top of what is another thing; `zoom` counts the zooms behind it, which Esc takes back. */
export function go(
  href: string,
  { replace = false, zoom = 0 }: { replace?: boolean; zoom?: number } = {},
): void {
  const isOther = isOtherPlace(new URL(location.href), new URL(href, location.href))
  if (replace) history.replaceState({ zoom }, '', href)
  else {
    keepPlace()
    history.pushState({ zoom }, '', href)
  }
  window.dispatchEvent(new Event(CHANGED))
  if (!isOther || replace) return
  window.scrollTo(0, 0)
  document.getElementById('content')?.focus({ preventScroll: true })
}

/** How many zooms lead here. */
export const zooms = (): number => (history.state as { zoom?: number } | null)?.zoom ?? 0

/** The address of a page with some parameters changed; null takes one out. */
export function withParams(
  { path, params }: Address,
  changes: { readonly [name: string]: string | null },
): string {
  const all = new URLSearchParams(params)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) all.delete(name)
    else all.set(name, value)
  }
  const query = all.toString()
  return query === '' ? path : `${path}?${query}`
}

/** Changes that put another range in the place of the one in an address. */
export const newRange = (range: { readonly [name: string]: string }) => ({
  from: null,
  to: null,
  last: null,
  ...range,
})
