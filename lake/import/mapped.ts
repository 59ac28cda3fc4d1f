/** What is done with the numbers of a column: `times` of it, or `from` less that. */
export interface Arithmetic {
  readonly times: number
  readonly from: number | null
}

/** A column that a person names for one of the dataset, and what is done with its numbers; null: nothing. */
export interface MappedColumn {
  readonly name: string
  readonly arithmetic: Arithmetic | null
}

/** `COLUMN`, `COLUMN*100`, `100-COLUMN` and `100-COLUMN*100`. */
const FORM = /^(?:(\d+(?:\.\d+)?)-)?(.+?)(?:\*(\d+(?:\.\d+)?))?$/s

/** Reads what `--map` says of a column; a file's own column of just that name is meant first. */
export function mappedColumn(said: string, columns: readonly { readonly name: string }[]): MappedColumn {
  const found = columns.some(({ name }) => name === said) ? null : FORM.exec(said)
  const [, from, name, times] = found ?? []
  if (name === undefined || (from === undefined && times === undefined))
    return { name: said, arithmetic: null }
  return { name, arithmetic: { from: from === undefined ? null : Number(from), times: Number(times ?? 1) } }
}

/** As it is written in `--map`, around a column that is shown as `column`. */
export function arithmeticText(column: string, arithmetic: Arithmetic | null): string {
  if (arithmetic === null) return column
  const { from, times } = arithmetic
  return `${from === null ? '' : `${from} − `}${column}${times === 1 ? '' : ` × ${times}`}`
}
