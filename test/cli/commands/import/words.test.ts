import { expect, test } from 'vitest'
import { refusedText } from '../../../../cli/commands/import/words.ts'

test('what is refused is named by its row, or by its line where rows cannot be told apart', () => {
  const refused = [
    { why: 'cpu is missing', rows: 2, first: 7, unit: 'row' },
    { why: 'missing columns', rows: 1, first: 9, unit: 'line' },
  ] as const
  expect(refusedText(refused, '/kept.csv')).toBe(
    `  2 rows refused: cpu is missing (the first is row 7)
  1 row refused: missing columns (the first is line 9)
  they are kept in /kept.csv
`,
  )
})
