/** Light or dark: as the system has it, or as it was chosen here. */
export type Theme = 'auto' | 'light' | 'dark'

const KEPT = 'tidemark-theme'
export const THEME_CHANGED = 'tidemark:theme'

export function theme(): Theme {
  const kept = localStorage.getItem(KEPT)
  return kept === 'light' || kept === 'dark' ? kept : 'auto'
}

export function setTheme(chosen: Theme): void {
  localStorage.setItem(KEPT, chosen)
  applyTheme()
}

/** Paper is light, whatever the screen is. */
let isPrinting = false

export function applyTheme(): void {
  const chosen = theme()
  const isDark =
    !isPrinting &&
    (chosen === 'dark' || (chosen === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches))
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
  window.dispatchEvent(new Event(THEME_CHANGED))
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme)
for (const [event, prints] of [
  ['beforeprint', true],
  ['afterprint', false],
] as const)
  window.addEventListener(event, () => {
    isPrinting = prints
    applyTheme()
  })
