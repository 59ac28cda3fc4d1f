import { expect, test } from 'vitest'
import { queryTable } from '../../../cli/commands/query-table.ts'
import { textWidth } from '../../../cli/text-width.ts'

const columns = [
  { name: 'service', type: 'VARCHAR' },
  { name: 'n', type: 'BIGINT' },
]

test('numbers stand at the end of their column, and what is absent is no empty text', () => {
  const rows = [
    ['web', 7],
    ['', 1_000],
    [null, null],
  ]
  expect(queryTable(columns, rows, null)).toBe('service     n\nweb         7\n         1000\nNULL     NULL\n')
})

test('an empty answer has its columns and says that it is empty', () => {
  expect(queryTable(columns, [], 4)).toBe('service  n\n(no rows)\n')
})

test('a table that is wider than the terminal is a list of each row', () => {
  const rows = [
    ['a service with a long name', 1],
    ['b', 20],
  ]
  expect(queryTable(columns, rows, 20)).toBe(
    'row 1\n  service  a service with a long name\n  n        1\n\nrow 2\n  service  b\n  n        20\n',
  )
  expect(queryTable(columns, rows, 80)).toContain('service                      n\n')
})

test('no value moves the cursor or breaks a line', () => {
  const [, row] = queryTable(columns, [['a\nb\u001b[31m\u009b\u007f', 1]], null).split('\n')
  expect(row).toBe('a\\nb\\u001b[31m\\u009b\\u007f  1')
})

test('wide and invisible characters take the columns that a terminal gives them', () => {
  const widths = {
    abc: 3,
    日本: 4,
    é: 1,
    'e\u0301': 1,
    '🎉': 2,
    '👩‍👩‍👧': 2,
    '🇨🇭': 2,
    '❤️': 2,
    한국: 4,
    ｱ: 1,
    Ａ: 2,
    '\u200b': 0,
  }
  expect(Object.keys(widths).map((text) => [text, textWidth(text)])).toEqual(Object.entries(widths))
  const [head, row] = queryTable(columns, [['日本', 1]], null).split('\n')
  expect([textWidth(head!), textWidth(row!)]).toEqual([10, 10])
})
