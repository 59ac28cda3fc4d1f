import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordGroups } from '../../../log/kafka/record-frames.ts'
import { frameOf } from './record-frame.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const record = fc.record({
  offset: fc.maxSafeNat(),
  header: fc.option(bytes(40)),
  value: bytes(300),
})

async function* cut(whole: Buffer, lengths: readonly number[]) {
  let at = 0
  for (const length of lengths) {
    yield whole.subarray(at, at + length)
    at += length
  }
  yield whole.subarray(at)
}

async function read(stream: AsyncIterable<Buffer>, bytesMax: number) {
  const groups = []
  for await (const group of recordGroups(stream, bytesMax)) groups.push(group)
  return groups
}

test('records come out as they went in, wherever the stream is cut, in groups of about a size', async () => {
  const lengths = fc.array(fc.nat(200), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 20 }), lengths, async (records, cuts) => {
      const groups = await read(cut(Buffer.concat(records.map(frameOf)), cuts), 500)
      expect(groups.flat()).toEqual(records)
      for (const group of groups.slice(0, -1))
        expect(Buffer.concat(group.map(frameOf)).length >= 500).toBe(true)
      for (const group of groups) expect(Buffer.concat(group.slice(1).map(frameOf)).length < 1_000).toBe(true)
    }),
  )
})

test('a stream that ends within a record is refused, after the groups that were whole', async () => {
  const whole = Buffer.concat(
    [1, 2].map((offset) => frameOf({ offset, header: null, value: Buffer.alloc(9) })),
  )
  for (const end of [whole.length - 1, whole.length - 20]) {
    const groups = recordGroups(cut(whole.subarray(0, end), []), 1)
    expect((await groups.next()).value).toHaveLength(1)
    await expect(groups.next()).rejects.toMatchObject({ code: 'E_LOG' })
  }
})
