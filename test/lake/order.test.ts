import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type MessageRows, sortRows } from '../../lake/parquet/order.ts'
import { messageAt } from '../../schemas/message.ts'
import { bucketStart, HOUR_MS } from '../../schemas/time.ts'
import { compareUtf8 } from '../../schemas/utf8.ts'
import { hostColumns } from '../sim/messages.ts'

const row = fc.record({
  service: fc.constantFrom('web', 'a', '\u{1F600}', '\uFFFD'),
  host: fc.constantFrom('h', 'h1', 'é'),
  timeMs: fc.oneof(
    fc.constantFrom(0, 1, HOUR_MS - 1, HOUR_MS),
    fc.integer({ min: -HOUR_MS, max: 24 * HOUR_MS }),
  ),
  partition: fc.integer({ min: -1, max: 1 }),
  offset: fc.nat(3),
  index: fc.nat(3),
})

/** The rows of `rows`, each with its place. */
function listed({ columns, partition, offset, index }: MessageRows) {
  return Array.from(partition, (_, i) => ({
    ...messageAt(columns, i),
    partition: partition[i]!,
    offset: offset[i]!,
    index: index[i]!,
  }))
}

test('rows are ordered by hour, service, host, time and place, as comparing each with each would do', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (list) => {
      const rows = {
        columns: hostColumns(list.map((one) => ({ ...one, gauges: [one.offset, 1, 2] }))),
        partition: Int32Array.from(list, ({ partition }) => partition),
        offset: Float64Array.from(list, ({ offset }) => offset),
        index: Int32Array.from(list, ({ index }) => index),
      }
      const expected = listed(rows).sort(
        (a, b) =>
          bucketStart(a.timeMs, HOUR_MS) - bucketStart(b.timeMs, HOUR_MS) ||
          compareUtf8(a.names[0]!, b.names[0]!) ||
          compareUtf8(a.names[1]!, b.names[1]!) ||
          a.timeMs - b.timeMs ||
          a.partition - b.partition ||
          a.offset - b.offset ||
          a.index - b.index,
      )
      expect(listed(sortRows(rows))).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})
