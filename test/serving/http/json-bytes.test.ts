import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ANSWER_MS_MAX, ANSWER_MS_MIN, DAY_MS } from '../../../schemas/time.ts'
import { JsonBytes } from '../../../serving/http/json-bytes.ts'
import { iso, rounded } from '../../../serving/http/present.ts'

const decimals = fc
  .tuple(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: 0, max: 12 }))
  .map(([whole, places]) => whole / 10 ** places)
const numbers = fc.oneof(
  fc.double(),
  decimals,
  fc.integer(),
  fc.constantFrom(0, -0, Number.NaN, 1e9, 1e-6, 1e21),
)

function written(write: (out: JsonBytes) => void): string {
  const out = new JsonBytes(1)
  write(out)
  return String(out.take())
}

test('numbers are written as JSON.stringify writes them rounded, where there is one', () => {
  const some = fc.array(fc.option(numbers, { nil: undefined }), { maxLength: 50 })
  fc.assert(
    fc.property(some, (values) => {
      const places = values.flatMap((value, place) => (value === undefined ? [] : [place]))
      const bytes = written((out) =>
        out.numbers(
          Float64Array.from(places, (place) => values[place]!),
          Uint32Array.from(places),
          values.length,
        ),
      )
      expect(bytes).toBe(JSON.stringify(values.map((value) => (value === undefined ? null : rounded(value)))))
    }),
    { numRuns: 1_000 },
  )
})

test('times are written as answers write them, also those of one day and those that no year of four digits has', () => {
  const near = fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS })
  const about = fc.constantFrom(ANSWER_MS_MIN, ANSWER_MS_MAX, 0, Date.UTC(2026, 10, 22))
  fc.assert(
    fc.property(about, fc.array(near, { maxLength: 20 }), (ms, steps) => {
      const times = steps.map((step) => ms + step)
      expect(JSON.parse(written((out) => out.times(times)))).toEqual(times.map(iso))
    }),
    { numRuns: 1_000 },
  )
})

test('texts of any letters and what is written again stand behind each other', () => {
  const bytes = written((out) => {
    out.text('{"é":')
    const from = out.length
    out.numbers(Float64Array.of(1, 2.5), Uint32Array.of(0, 1), 2)
    const to = out.length
    out.text(',"b":')
    out.again(from, to)
    out.text('}')
  })
  expect(bytes).toBe('{"é":[1,2.5],"b":[1,2.5]}')
})
