import fc from 'fast-check'
import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import type { Message } from '../../schemas/message.ts'

/** A dataset with two keys, no source and optional gauges. */
export const scores: Dataset = {
  name: 'scores',
  keys: ['group', 'lunch'],
  source: null,
  gauges: ['math', 'reading', 'writing'].map((name, g) => {
    return { name, unit: 'points', min: -1e15, max: 1e15, optional: g > 0 }
  }),
  attributes: ['note'],
}

const START_MS = Date.UTC(2026, 10, 22, 9, 58)

/**
 * Messages with few names, few minutes, and values that are equal, huge, tiny, negative or absent. A gauge keeps to one sign:
 * where values cancel each other, the sum has no digit that all orders agree on.
 */
export function nastyMessages(dataset: Dataset): fc.Arbitrary<Message[]> {
  const name = fc.constantFrom('a', 'b', 'a b', 'ä', '\u{1f600}', '\uffee')
  const value = fc.oneof(
    fc.constantFrom(0, 1, 50, 50, 100, 1e15, 1e-310, Number.MIN_VALUE, 0.1, 0.2, 0.3),
    fc.double({ min: 0, max: 100, noNaN: true }),
  )
  const gauge = ({ min, optional }: Dataset['gauges'][number], g: number) =>
    fc.oneof(
      { weight: 4, arbitrary: min < 0 && g === 2 ? value.map((x) => -x + 0) : value },
      ...(optional ? [{ weight: 2, arbitrary: fc.constant(Number.NaN) }] : []),
    )
  return fc.array(
    fc.record({
      names: fc.tuple(...nameColumns(dataset).map(() => name)),
      timeMs: fc
        .integer({ min: 0, max: 4 * 60_000 })
        .map((ms) => START_MS + (ms % 3 === 0 ? ms - (ms % 60_000) : ms)),
      gauges: fc.tuple(...dataset.gauges.map(gauge)),
      attributes: fc.tuple(...dataset.attributes.map(() => fc.constantFrom(null, 'x', 'y'))),
      agent: fc.constant(null),
      seq: fc.constant(null),
    }),
    { maxLength: 60 },
  ) as fc.Arbitrary<Message[]>
}
