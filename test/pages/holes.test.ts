import { expect, test } from 'vitest'
import { holesOf } from '../../pages/charts/gaps.ts'

const every = (n: number, present: (i: number) => boolean) =>
  Array.from({ length: n }, (_, i) => (present(i) ? 1 : null))
const t = (n: number) => Array.from({ length: n }, (_, i) => i * 60_000)

test('messages that come less often than buckets make no hole', () => {
  const { drawn, holes } = holesOf(
    t(60),
    every(60, (i) => i % 5 === 0),
    60_000,
  )
  expect(holes).toEqual([])
  expect(drawn).toEqual(Array.from({ length: 12 }, (_, i) => i * 5))
})

test('a stretch without any is a hole, and breaks the line', () => {
  const { drawn, holes } = holesOf(
    t(60),
    every(60, (i) => i < 20 || i >= 40),
    60_000,
  )
  expect(holes).toEqual([{ fromMs: 20 * 60_000, toMs: 40 * 60_000 }])
  expect(drawn).toContain(20)
  expect(drawn).not.toContain(21)
})

test('one bucket left out is no hole, two are', () => {
  expect(
    holesOf(
      t(10),
      every(10, (i) => i !== 4),
      60_000,
    ).holes,
  ).toHaveLength(0)
  expect(
    holesOf(
      t(10),
      every(10, (i) => i !== 4 && i !== 5),
      60_000,
    ).holes,
  ).toHaveLength(1)
})

test('nothing has no hole', () => {
  expect(
    holesOf(
      t(10),
      every(10, () => false),
      60_000,
    ),
  ).toEqual({ drawn: [], holes: [] })
})

test('what has not been heard of since has a hole up to the end, unless it may still come', () => {
  const some = every(60, (i) => i < 20)
  const at = (endMinute: number) => holesOf(t(60), some, 60_000, endMinute * 60_000).holes
  expect(at(60)).toEqual([{ fromMs: 20 * 60_000, toMs: 60 * 60_000 }])
  expect(at(21)).toEqual([])
})
