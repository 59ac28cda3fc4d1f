import { expect, test } from 'vitest'
import { sorted, sortingOf } from '../../pages/names/sorting.ts'
import { compareNames, isolated, titleOf, visible } from '../../pages/names/visible.ts'

test.for([
  ['ab\u202ecd', 'ab\\u202ecd'],
  ['web\u200b', 'web\\u200b'],
  ['a\u00a0b', 'a\\u00a0b'],
  ['x\u200d', 'x\\u200d'],
  ['שלום', 'שלום'],
  ['👩\u200d💻 ❤\ufe0f', '👩\u200d💻 ❤\ufe0f'],
  ['می\u200cخواهم', 'می\u200cخواهم'],
  [' ', '“ ”'],
] as const)('%j is shown as %j', ([name, shown]) => {
  expect(visible(name)).toBe(shown)
  expect(isolated(name)).toBe(`\u2068${shown}\u2069`)
})

test('names are in the order of people, numbers by their value', () => {
  const names = ['service-10', 'service-2', 'Service-1', 'service-02', 'a']
  expect(names.sort(compareNames)).toEqual(['a', 'Service-1', 'service-02', 'service-2', 'service-10'])
})

test('what has no value is last, however it is sorted', () => {
  const rows = [{ v: 2 }, { v: null }, { v: 10 }]
  const by = (sort: string) => sorted(rows, sortingOf(sort, ''), ({ v }) => v, compareNames).map(({ v }) => v)
  expect(by('v')).toEqual([2, 10, null])
  expect(by('-v')).toEqual([10, 2, null])
})

test('each row is asked for its value once', () => {
  const asked: number[] = []
  const rows = Array.from({ length: 100 }, (_, i) => (i * 7) % 100)
  const value = (row: number) => {
    asked.push(row)
    return row
  }
  expect(sorted(rows, sortingOf('v', ''), value, compareNames)).toEqual(rows.toSorted((a, b) => a - b))
  expect(asked).toHaveLength(100)
})

test('columns are titled in words', () => {
  expect(['cpu', 'free_memory', 'constructor'].map(titleOf)).toEqual(['CPU', 'Free memory', 'Constructor'])
})
