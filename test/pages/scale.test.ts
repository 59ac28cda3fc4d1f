import { expect, test } from 'vitest'
import { placeOn, scaleOf } from '../../pages/charts/scale.ts'

test('percent reach from 0 to 100', () => {
  expect(scaleOf([40, 60], '%')).toEqual({ low: 0, high: 100 })
})

test('what is near nothing begins there, all else where its values do', () => {
  expect(scaleOf([2, null, 9], '')).toEqual({ low: 0, high: 9 })
  expect(scaleOf([-24, -3], '°C')).toEqual({ low: -24, high: -3 })
  expect(scaleOf([1003, 1023], 'hPa')).toEqual({ low: 1003, high: 1023 })
})

test('what does not differ lies in the middle, also at 0 and where there is nothing', () => {
  for (const values of [[7, 7], [0], [-3]]) expect(placeOn(scaleOf(values, ''), values[0]!)).toBeCloseTo(0.5)
  expect(scaleOf([null], '')).toEqual({ low: 0, high: 1 })
})

test('the lowest of degrees below zero is told from the highest', () => {
  const scale = scaleOf([-24, -10, -3], '°C')
  expect([-24, -3].map((value) => placeOn(scale, value))).toEqual([0, 1])
})
