import { expect, test } from 'vitest'
import { decodeMessages, encodeMessages } from '../../lake/parquet/messages.ts'
import { orderOf, sortRows } from '../../lake/parquet/order.ts'
import { mergeFiles } from '../../lake/writer/seal-files.ts'
import { host } from '../../schemas/datasets/host.ts'
import { messageAt, toColumns } from '../../schemas/message.ts'
import { blockOf, DATE, sealedFiles } from './rows.ts'

/** Sequence numbers and offsets at the edges of 32 and 53 bits, and none at all. */
const NUMBERS = [
  [1, 2, 3],
  [null, null, null],
  [2 ** 31 - 1, null, 1],
  [2 ** 31, 2 ** 31 - 1, null],
  [Number.MAX_SAFE_INTEGER, 1, 2],
]

test.each(NUMBERS)('numbers come back as they were written: %s, %s, %s', async (...numbers) => {
  const list = numbers.map((seq, i) => ({
    ...{ names: ['web', `h${i}`], timeMs: Date.parse(DATE) + i, gauges: [i, 0.5, 100] },
    ...{ agent: seq === null ? null : 'a', seq },
  }))
  const rows = {
    columns: toColumns(host, list),
    partition: Int32Array.of(-1, 0, 1),
    offset: Float64Array.from(numbers, (n) => n ?? 0),
    index: Int32Array.of(0, 2, 1),
  }
  const read = await decodeMessages(host, encodeMessages(host, rows))
  expect(list.map((_, i) => messageAt(read.columns, i))).toEqual(list)
  expect([read.partition, read.offset, read.index]).toEqual([rows.partition, rows.offset, rows.index])
})

test('rows that are sorted as they are written make the file of sorted rows, of several row groups too', () => {
  const optional = { ...host, gauges: host.gauges.map((gauge) => ({ ...gauge, optional: true })) }
  const rows = 130_000
  const { messages } = blockOf(0, rows)
  // One row group lacks a value, the other none.
  messages.gauges[1]![0] = Number.NaN
  const unsorted = {
    columns: messages,
    partition: new Int32Array(rows),
    offset: Float64Array.from({ length: rows }, (_, i) => Math.floor((rows - i) / 50)),
    index: Int32Array.from({ length: rows }, (_, i) => i % 50),
  }
  const written = encodeMessages(optional, unsorted, { order: orderOf(unsorted) })
  expect(Buffer.compare(written, encodeMessages(optional, sortRows(unsorted)))).toBe(0)
})

test('a gauge value of whole percent takes at most a byte in a merged file', async () => {
  const { bytes, about } = await mergeFiles(host, sealedFiles(2, 20_000), DATE)
  expect(bytes.length / (about.rows * 3)).toBeLessThan(1)
})
