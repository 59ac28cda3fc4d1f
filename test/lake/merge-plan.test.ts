import { expect, test } from 'vitest'
import type { DataFile } from '../../lake/delta/port.ts'
import { MERGE_ROWS_MAX, MERGES_MAX, OPEN_DATE_FILES, planMerges } from '../../lake/writer/merge-plan.ts'

const NOW_MS = Date.parse('2026-11-22T02:00:00Z')

function files(date: string, count: number, rows = 100): DataFile[] {
  return Array.from({ length: count }, (_, i) => ({
    path: `${date}/${i}`,
    size: 1,
    modifiedMs: 0,
    partition: { date },
    rows,
    min: {},
    max: {},
    nulls: {},
    tags: {},
  }))
}

test('a closed date becomes one file, an open one waits for eight', () => {
  expect(planMerges(files('2026-11-20', 2), NOW_MS)).toMatchObject([{ date: '2026-11-20', inputs: [{}, {}] }])
  expect(planMerges(files('2026-11-22', OPEN_DATE_FILES - 1), NOW_MS)).toEqual([])
  expect(planMerges(files('2026-11-22', OPEN_DATE_FILES), NOW_MS)).toHaveLength(1)
  expect(planMerges(files('2026-11-20', 1), NOW_MS)).toEqual([])
})

test('a date is open for an hour after its midnight', () => {
  const yesterday = files('2026-11-21', 2)
  expect(planMerges(yesterday, Date.parse('2026-11-22T00:59:59Z'))).toEqual([])
  expect(planMerges(yesterday, Date.parse('2026-11-22T01:00:00Z'))).toHaveLength(1)
})

test('no merge is larger than its limit, and large files are left alone', () => {
  const merges = planMerges(files('2026-11-20', 7, MERGE_ROWS_MAX / 3), NOW_MS)
  for (const { inputs } of merges) {
    expect(inputs.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(MERGE_ROWS_MAX)
  }
  expect(planMerges(files('2026-11-20', 5, MERGE_ROWS_MAX / 2), NOW_MS)).toEqual([])
})

test('one upkeep merges so many dates and no more', () => {
  const many = Array.from({ length: MERGES_MAX + 10 }, (_, i) => files(`2020-${String(i + 100)}`, 2)).flat()
  expect(planMerges(many, NOW_MS)).toHaveLength(MERGES_MAX)
})

test('one that is asked for plans all of them', () => {
  const many = Array.from({ length: MERGES_MAX + 10 }, (_, i) => files(`2020-${String(i + 100)}`, 2)).flat()
  expect(planMerges(many, NOW_MS, Number.POSITIVE_INFINITY)).toHaveLength(MERGES_MAX + 10)
})
