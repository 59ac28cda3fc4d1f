import { expect, test } from 'vitest'
import { FAULTS, parseFaults, TASKS } from './faults.ts'
import { parseOptions } from './options.ts'

test('a seed alone: forty steps, all faults, in this process', () => {
  expect(parseOptions(['--seed', '5'])).toMatchObject({
    seed: 5,
    seeds: 1,
    steps: 40,
    faults: 'all',
    only: null,
    engine: 'reference',
    jobs: 1,
  })
})

test('steps to keep are numbers and ranges', () => {
  expect([...parseOptions(['--only', '1,4-6'])!.only!]).toEqual([1, 4, 5, 6])
})

test.each([
  [['--seed', 'x'], /--seed must be a whole number, at least 0, not "x"/],
  [['--seeds', '0'], /--seeds must be a whole number, at least 1/],
  [['--only', '1,,2'], /--only/],
  [['--engine', 'spark'], /--engine must be reference or duckdb, not spark/],
  [['--faults', 'crash,plague'], /--faults: plague is none of crash, power/],
  [['--faults', 'crash=often'], /its rate is no number/],
  [['--nonsense'], /--nonsense/],
])('%j is refused in words', (args, words) => {
  expect(() => parseOptions(args)).toThrow(words)
})

test('faults have the rates named, and others none', () => {
  expect(parseFaults('crash,flip=3')).toMatchObject({ crash: 1, flip: 3, power: 0, journal: 0 })
  expect(new Set(Object.values(parseFaults('none')))).toEqual(new Set([0]))
  expect(Object.keys(parseFaults('all'))).toEqual(Object.keys({ ...FAULTS, ...TASKS }))
})
