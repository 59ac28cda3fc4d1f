import { expect, test } from 'vitest'
import { benchFold, foldText } from '../../../bench/fold/fold.ts'

test('the fold benchmark runs small, over few cells and many, and says what it measured', () => {
  const kinds = benchFold(2, 2_000)
  expect(kinds.map(({ cells }) => cells)).toEqual([20, 40, 2_000])
  for (const { plainNs, withoutNs, withNs } of kinds)
    expect(Math.min(plainNs, withoutNs, withNs)).toBeGreaterThan(0)
  expect(foldText(kinds)).toMatch(/cores.*Node v[\s\S]*one a cell.* ns a message; with \/ without = \d/)
})
