import { useRef, useState } from 'preact/hooks'
import { inHeldOrder } from '../names/sorting.ts'

/**
 * Keeps rows where they are while somebody points at them or has the focus among them: none moves away under a click. Another
 * `about` orders them anew.
 */
export function useHeldOrder<T extends { readonly id: string }>(rows: readonly T[], about: string) {
  const [isPointed, setPointed] = useState(false)
  const [isFocused, setFocused] = useState(false)
  const held = useRef<{ about: string; ids: readonly string[] }>({ about, ids: [] })
  const isHeld = (isPointed || isFocused) && held.current.about === about
  if (!isHeld) held.current = { about, ids: rows.map(({ id }) => id) }
  return {
    rows: isHeld ? inHeldOrder(rows, held.current.ids) : rows,
    hold: {
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocusIn: () => setFocused(true),
      onFocusOut: () => setFocused(false),
    },
  }
}
