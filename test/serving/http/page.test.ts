import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareUtf8 } from '../../../schemas/utf8.ts'
import { plain } from '../../../serving/http/columns.ts'
import { pageOf } from '../../../serving/http/page.ts'

interface Row {
  readonly key: string
  readonly value: number | null
}

const list = {
  columns: [
    plain<Row>('key', 'string', ({ key }) => key),
    plain<Row>('value', 'double', ({ value }) => value),
  ],
  keyOf: ({ key }: Row) => key,
}
const rows = fc.uniqueArray(
  fc.record({
    key: fc.string({ unit: 'grapheme' }),
    value: fc.option(
      fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
    ),
  }),
  { selector: ({ key }) => key },
)
const sort = fc.constantFrom(undefined, 'key', '-key', 'value', '-value')

/** All pages one after the other. */
function allPages(all: readonly Row[], limit: number, order: string | undefined): Row[] {
  const found: Row[] = []
  for (let after: string | null | undefined; after !== null; ) {
    const page = pageOf(all, list, { limit, sort: order, ...(after !== undefined && { after }) })
    expect(page.rows.length).toBeLessThanOrEqual(limit)
    found.push(...page.rows)
    after = page.next
  }
  return found
}

test('the pages of any size are the list, each row once and in order', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 5 }), sort, (all, limit, order) => {
      const found = allPages(all, limit, order)
      expect(found).toEqual(pageOf(all, list, { sort: order }).rows)
      expect(new Set(found)).toEqual(new Set(all))
      const sign = order?.startsWith('-') ? -1 : 1
      for (const [i, row] of found.entries()) {
        const before = found[i - 1]
        if (before === undefined) continue
        if (order?.endsWith('value') !== true) expect(sign * compareUtf8(before.key, row.key)).toBeLessThan(0)
        else if (row.value !== null) expect(sign * (before.value! - row.value)).toBeLessThanOrEqual(0)
      }
    }),
  )
})

test('a row that goes or comes between two pages moves no other', () => {
  const all = ['a', 'b', 'c', 'd'].map((key) => ({ key, value: 1 }))
  const { next } = pageOf(all, list, { limit: 2 })
  const later = [...all.filter(({ key }) => key !== 'b'), { key: 'aa', value: 1 }]
  expect(pageOf(later, list, { limit: 2, after: next! }).rows.map(({ key }) => key)).toEqual(['c', 'd'])
})

test('a page of another order, or no page at all, is refused', () => {
  const all = ['a', 'b'].map((key) => ({ key, value: 1 }))
  const { next } = pageOf(all, list, { limit: 1, sort: 'value' })
  for (const after of [next!, 'nonsense', 'bnVsbA', ''])
    expect(() => pageOf(all, list, { limit: 1, after, sort: '-value' })).toThrow(/`next` of an answer/)
})
