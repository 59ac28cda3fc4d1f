/**
 * Where a page was scrolled to as it was left. A browser goes back there at once, when the page is still as short as it is before its
 * answers have come; here it is gone to once there is so much to scroll.
 */
const COMES_MS_MAX = 3_000

/** Keeps with the address that is left how far it is scrolled. */
export function keepPlace(): void {
  history.replaceState({ ...history.state, scrolledPx: window.scrollY }, '')
}

/** Goes to the place that was kept with this address, unless somebody scrolls meanwhile. */
export function findPlace(): void {
  const { scrolledPx = 0 } = (history.state ?? {}) as { scrolledPx?: number }
  if (scrolledPx === 0) return
  const moved = new AbortController()
  for (const event of ['wheel', 'touchstart', 'keydown', 'pointerdown'])
    window.addEventListener(event, () => moved.abort(), { once: true, signal: moved.signal, passive: true })
  const endsMs = performance.now() + COMES_MS_MAX
  const look = () => {
    if (moved.signal.aborted) return
    const isThere = document.documentElement.scrollHeight - window.innerHeight >= scrolledPx
    if (isThere) window.scrollTo(0, scrolledPx)
    if (isThere || performance.now() > endsMs) moved.abort()
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}
