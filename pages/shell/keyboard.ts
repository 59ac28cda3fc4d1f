import { useEffect } from 'preact/hooks'

/** What keys do on every page. */
export const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'Search'],
  ['↑ ↓', 'Move through the rows of a table'],
  ['Enter', 'Open the row'],
  ['Esc', 'Leave the search, zoom out'],
  ['[ ]', 'Earlier and later, by the length of the range'],
  ['+ -', 'Zoom in and out: half and twice the range'],
  ['g h', 'Home'],
  ['g a', 'Analysis'],
  ['g l', 'Live'],
  ['g s', 'System'],
  ['?', 'This help'],
]

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.matches('input, select, textarea, [contenteditable]')

/** Calls back for keys that are pressed outside of fields. */
export function useKeys(
  pressed: (key: string, event: KeyboardEvent) => void,
  about: readonly unknown[],
): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (isTyping(event.target)) {
        if (event.key === 'Escape') (event.target as HTMLElement).blur()
        return
      }
      pressed(event.key, event)
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, about)
}

/** Moves the focus to the next or previous link of a row. */
export function moveRow(down: boolean): boolean {
  const links = [...document.querySelectorAll<HTMLElement>('tbody a.row')]
  if (links.length === 0) return false
  const at = links.indexOf(document.activeElement as HTMLElement)
  const next = at === -1 ? 0 : Math.min(links.length - 1, Math.max(0, at + (down ? 1 : -1)))
  links[next]!.focus()
  return true
}
