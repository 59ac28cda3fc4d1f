import { Type } from 'typebox'
import { TidemarkError } from '../../schemas/errors.ts'
import { shown } from '../../schemas/shown.ts'
import { compareUtf8 } from '../../schemas/utf8.ts'
import type { ListColumn, ListValue } from './columns.ts'

/**
 * Pages of a list, in the order of any of its columns. `next` names the last row of a page by its value and its key, so that the
 * next page begins behind it whatever has changed since: no row comes twice, unless its own value moved it.
 */
export interface AskedPage {
  readonly limit?: number | undefined
  readonly after?: string | undefined
  /** A column, with `-` in front from the greatest on; absent: the key. */
  readonly sort?: string | undefined
}

export interface Page<T> {
  readonly rows: readonly T[]
  /** What `after` begins the next page; null on the last. */
  readonly next: string | null
}

/** Rows of one page. */
export const PAGE_ROWS_MAX = 10_000

/** The parameters of a list that can be sorted by `columns`. */
export function pageQuery(columns: readonly { readonly path: string }[]) {
  const names = columns.flatMap(({ path }) => [path, `-${path}`])
  return {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: PAGE_ROWS_MAX, description: 'Rows of a page; absent: all' }),
    ),
    after: Type.Optional(Type.String({ description: 'The `next` of the page before' })),
    sort: Type.Optional(
      Type.String({
        enum: names,
        description: 'A column, - in front for the greatest first; absent: the key',
      }),
    ),
  }
}

interface Cursor {
  readonly value: ListValue
  readonly key: string
}

/** The rows of a page. Rows without a value in the column come last, equal ones by their keys. Throws `E_PARAMETER`. */
export function pageOf<T>(
  rows: readonly T[],
  { columns, keyOf }: { readonly columns: readonly ListColumn<T>[]; keyOf(row: T): string },
  { limit = Number.POSITIVE_INFINITY, after, sort }: AskedPage,
): Page<T> {
  const column = sort === undefined ? null : columns.find(({ path }) => path === sort.replace(/^-/, ''))
  if (column === undefined)
    throw new TidemarkError(
      'E_PARAMETER',
      `these rows have no ${shown(sort!.replace(/^-/, ''))} to sort by`,
      {
        field: 'sort',
      },
    )
  const sign = sort?.startsWith('-') ? -1 : 1
  const compare = (a: Cursor, b: Cursor) => compareValues(a.value, b.value, sign) || compareUtf8(a.key, b.key)
  let placed = rows.map((row) => ({ row, value: column?.of(row) ?? null, key: keyOf(row) }))
  if (after !== undefined) {
    const cursor = parseCursor(after, sort)
    placed = placed.filter((one) => compare(one, cursor) > 0)
  }
  placed.sort(compare)
  const page = placed.slice(0, limit)
  const last = page.at(-1)
  const next = last !== undefined && placed.length > page.length ? cursorOf(last, sort) : null
  return { rows: page.map(({ row }) => row), next }
}

function compareValues(a: ListValue, b: ListValue, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (typeof a === 'string' && typeof b === 'string') return sign * compareUtf8(a, b)
  return sign * (Number(a) - Number(b))
}

export function cursorOf({ value, key }: Cursor, sort: string | undefined): string {
  return Buffer.from(JSON.stringify([sort ?? '', value, key])).toString('base64url')
}

/** Throws `E_PARAMETER` for what is no cursor of this order. */
export function parseCursor(text: string, sort: string | undefined): Cursor {
  try {
    const [of, value, key] = JSON.parse(Buffer.from(text, 'base64url').toString())
    const isValue = value === null || ['string', 'number', 'boolean'].includes(typeof value)
    if (of === (sort ?? '') && isValue && typeof key === 'string') return { value, key }
  } catch {}
  throw new TidemarkError(
    'E_PARAMETER',
    `after must be the \`next\` of an answer in the same order, not ${shown(text)}`,
    { field: 'after' },
  )
}
