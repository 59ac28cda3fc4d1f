import { expect, test } from 'vitest'
import { legendRows } from '../../pages/charts/legend.ts'

test('a legend is broken into rows that fit', () => {
  expect(legendRows([40, 50, 30, 200, 10], 100)).toEqual([
    [
      { i: 0, at: 0 },
      { i: 1, at: 40 },
    ],
    [{ i: 2, at: 0 }],
    [{ i: 3, at: 0 }],
    [{ i: 4, at: 0 }],
  ])
  expect(legendRows([], 100)).toEqual([])
})
