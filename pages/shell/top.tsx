import { useState } from 'preact/hooks'
import type { Address } from './address.ts'
import { setTheme, type Theme, theme } from './theme.ts'

const PAGES = [
  ['/', 'Home'],
  ['/analysis', 'Analysis'],
  ['/live', 'Live'],
  ['/system', 'System'],
] as const

export function Top({ address, onHelp }: { address: Address; onHelp: () => void }) {
  const zone = address.params.get('tz')
  const [chosen, setChosen] = useState<Theme>(theme)
  const choose = (next: Theme) => {
    setTheme(next)
    setChosen(next)
  }
  return (
    <header class="top">
      <a class="brand" href="/">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 12c4.5 0 4.5-4 9-4s4.500 4 9 4 4.500-4 8-4M3 19c4.500 0 4.500-4 9-4s4.500 4 9 4 4.500-4 8-4" />
          <path class="mark" d="M3 25h26" />
        </svg>
        Tidemark
      </a>
      <nav aria-label="Main">
        {PAGES.map(([path, name]) => (
          <a
            key={path}
            href={zone === null ? path : `${path}?tz=${encodeURIComponent(zone)}`}
            aria-current={address.path === path ? 'page' : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      <div class="top-end">
        <label class="sr" for="theme">
          Colours
        </label>
        <select
          id="theme"
          class="quiet"
          value={chosen}
          onChange={(event) => choose(event.currentTarget.value as Theme)}
        >
          <option value="auto">Auto</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
        <button type="button" class="quiet" aria-label="Help" onClick={onHelp}>
          ?
        </button>
      </div>
    </header>
  )
}
