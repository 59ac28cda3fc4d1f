import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBlock, encodeBlock } from '../../log/block-codec.ts'
import { packBlocks, unpackBlocks } from '../../log/packed-blocks.ts'
import { StoredBlock } from '../../log/stored-block.ts'
import { formOf } from '../../schemas/dataset.ts'
import { type Columns, type Message, messageAt, toColumns } from '../../schemas/message.ts'
import { scores } from '../schemas/nasty-messages.ts'

const name = fc.constantFrom('a', 'web', 'größe', 'x'.repeat(99))
const message = fc.record<Message>({
  names: fc.tuple(name, name),
  timeMs: fc.nat(4e12),
  gauges: fc.tuple(fc.double({ noNaN: true }), fc.double(), fc.nat()),
  attributes: fc.tuple(fc.option(name, { nil: null })),
  agent: fc.option(name, { nil: null }),
  seq: fc.option(fc.integer({ min: 1 }), { nil: null }),
})
const messages = fc.array(message, { minLength: 1, maxLength: 9 })
const fromColumns = (columns: Columns) =>
  Array.from({ length: columns.length }, (_, i) => messageAt(columns, i))

test('a block is read where it lies, wherever that is, and stays as it is', () => {
  fc.assert(
    fc.property(messages, fc.nat(16), (expected, before) => {
      const payload = encodeBlock(toColumns(scores, expected))
      const memory = new Uint8Array(before + payload.length)
      memory.set(payload, before)
      const moved = memory.subarray(before)
      expect(fromColumns(decodeBlock(moved))).toEqual(expected)
      expect(Buffer.compare(moved, payload)).toBe(0)
    }),
  )
})

test('packed blocks come out as they went in, read or not', () => {
  fc.assert(
    fc.property(fc.array(messages, { maxLength: 5 }), (all) => {
      const blocks = all.map((some, i) => new StoredBlock(1, i, 7 * i, encodeBlock(toColumns(scores, some))))
      for (const block of blocks.slice(1)) expect(block.messages.length).toBeGreaterThan(0)
      const there = unpackBlocks(packBlocks(blocks))
      expect(there.map(({ messages }) => fromColumns(messages))).toEqual(all)
      const again = unpackBlocks(packBlocks(there))
      expect(again.map(({ offset, messages }) => [offset, fromColumns(messages)])).toEqual([...all.entries()])
    }),
  )
})

test('bytes that are no block are refused, never read as one', () => {
  const payload = encodeBlock(
    toColumns(scores, [{ names: ['a', 'b'], timeMs: 1, gauges: [1, 2, 3], agent: 'x', seq: 1 }]),
  )
  fc.assert(
    fc.property(fc.nat(payload.length - 1), fc.nat(255), fc.nat(payload.length), (at, byte, length) => {
      const changed = Buffer.from(payload.subarray(0, length))
      if (at < length) changed[at] = byte
      try {
        expect(decodeBlock(changed).length).toBeGreaterThanOrEqual(0)
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_COLUMNS' })
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a block says which columns it has', () => {
  expect(decodeBlock(encodeBlock(toColumns(scores, []))).form).toEqual(formOf(scores))
})
