import { expect } from 'vitest'
import { valueAt } from '../../schemas/cell-column.ts'
import type { Cells } from '../../schemas/cells.ts'
import { close, exactRows } from '../simulator/oracle.ts'

/** Expects the same cells; totals, which are added up in any order, may differ in their last digits. */
export function expectSameCells(got: Cells, want: Cells): void {
  expect(exactRows(got)).toEqual(exactRows(want))
  const first = got.view.key.length + 1
  for (let c = first; c < first + got.view.gauges.length; c++)
    for (let i = 0; i < got.length; i++)
      expect(close(valueAt(got.columns[c]!, i) as number, valueAt(want.columns[c]!, i) as number)).toBe(true)
}
