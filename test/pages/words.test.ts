import { expect, test } from 'vitest'
import { axisTexts, lengthText, sentence, valueText } from '../../pages/time/words.ts'

test.each([
  [0, '°C', '0.0 °C'],
  [-8.47, '°C', '-8.5 °C'],
  [-0.478, '°C', '-0.478 °C'],
  [1013.52, 'hPa', '1,013.5 hPa'],
  [6_352_122, 'B', '6,352,122 B'],
  [1_927_784_314, 'photons/s', '1.93B photons/s'],
  [0.000507, '', '0.000507'],
  [0.000000123, 'F', '1.23E-7 F'],
  [0.04, '%', '0.0 %'],
  [null, '%', '–'],
])('%d in %s is written %s', (value, unit, text) => {
  expect(valueText(value, unit)).toBe(text)
})

test.each([
  [[0, 20, 100], '%', ['0 %', '20 %', '100 %']],
  [[0, 0.0002, 0.0004], '', ['0', '2E-4', '4E-4']],
  [[0.1, 0.2, 0.3], '', ['0.1', '0.2', '0.3']],
  [[1_000, 1_005, 1_010], 'hPa', ['1,000', '1,005', '1,010']],
  [[0, 500_000_000, 1_000_000_000], 'B', ['0', '500M', '1B']],
  [[10_250_000, 10_500_000], '', ['10.25M', '10.5M']],
  [[-20, 0, 20], '°C', ['-20', '0', '20']],
])('marks at %j in %s are %j', (values, unit, texts) => {
  expect(axisTexts(values, unit)).toEqual(texts)
})

test('marks of an axis are never alike', () => {
  expect(axisTexts([1_000_000_001, 1_000_000_002], '')).toEqual(['1.000000001B', '1.000000002B'])
})

test('many minutes are told in hours, many hours in days', () => {
  expect([270, 90, 61 * 60, 36 * 60].map((minutes) => lengthText(minutes * 60_000))).toEqual([
    ...['4 hours 30 minutes', '90 minutes', '2 days 13 hours', '36 hours'],
  ])
})

test('phrases of the API are sentences on a page', () => {
  expect(['view a is not published yet', 'Try it again.', ''].map(sentence)).toEqual([
    ...['View a is not published yet.', 'Try it again.', ''],
  ])
})
