/** Name of a column, and how it is set where not as text. */
type Column = string | readonly [name: string, kind: 'number' | 'wide']

/** The head of a table. */
export function Heads({ columns }: { columns: readonly Column[] }) {
  return (
    <thead>
      <tr>
        {columns.map((column, i) => {
          const [name, kind] = typeof column === 'string' ? [column, undefined] : column
          return (
            <th key={i} scope="col" class={kind}>
              {name}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}
