import type { View } from '../api/types.ts'

/** The choice of a view; nothing where there is one alone. */
export function ViewChoice(props: { views: readonly View[]; view: View; onChoose: (name: string) => void }) {
  const { views, view, onChoose } = props
  if (views.length <= 1) return null
  return (
    <p>
      <label class="sr" for="view">
        View
      </label>
      <select
        id="view"
        class="quiet"
        value={view.name}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {views.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </p>
  )
}

/** Where a part of a name is typed. The key `/` leads here. */
export function Search({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  return (
    <p class="search">
      <label class="sr" for="search">
        Search
      </label>
      <input
        id="search"
        type="search"
        placeholder="Search   /"
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => onSearch(event.currentTarget.value)}
      />
    </p>
  )
}
