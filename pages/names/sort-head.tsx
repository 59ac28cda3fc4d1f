import type { Sorting } from './sorting.ts'

interface HeadProps {
  readonly by: string
  readonly sorting: Sorting
  readonly number?: boolean
  readonly onSort: (sort: string) => void
  readonly children: string
}

/** The head of a column that sorts by it; numbers fall at first. */
export function SortHead({ by, sorting, number = false, onSort, children }: HeadProps) {
  const isBy = sorting.by === by
  const next = isBy ? !sorting.falling : number
  return (
    <th
      scope="col"
      class={number ? 'number' : undefined}
      aria-sort={isBy ? (sorting.falling ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" class="sort" onClick={() => onSort(next ? `-${by}` : by)}>
        {children}
        <span aria-hidden="true">{isBy ? (sorting.falling ? ' ▾' : ' ▴') : ''}</span>
      </button>
    </th>
  )
}
