import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockDecoder } from '../../log/block-decoder.ts'
import { BlockEncoder } from '../../log/block-encoder.ts'
import { packBlocks, unpackBlocks } from '../../log/packed-blocks.ts'
import { StoredBlock } from '../../log/stored-block.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Columns, messageAt, toColumns } from '../../schemas/message.ts'
import { decodeBlock, encodeBlock } from '../sim/blocks.ts'
import { blockColumns } from './block-columns.ts'
import { damaged } from './damaged.ts'

const columns = blockColumns
const fromColumns = (all: Columns) => Array.from({ length: all.length }, (_, i) => messageAt(all, i))

test('a block is read where it lies, wherever that is, and stays as it is', () => {
  fc.assert(
    fc.property(columns, fc.nat(16), (messages, before) => {
      const payload = encodeBlock(messages)
      const memory = new Uint8Array(before + payload.length)
      memory.set(payload, before)
      const moved = memory.subarray(before)
      const decoded = decodeBlock(moved)
      expect(fromColumns(decoded)).toEqual(fromColumns(messages))
      expect(decoded.form).toEqual(messages.form)
      expect(Buffer.compare(moved, payload)).toBe(0)
    }),
  )
})

test('packed blocks come out as they went in, read or not', () => {
  const [encoder, decoder] = [new BlockEncoder(), new BlockDecoder()]
  fc.assert(
    fc.property(fc.array(columns, { maxLength: 5 }), (all) => {
      const about = (i: number) => ({ partition: 1, offset: i, logTimeMs: 7 * i })
      const blocks = all.map((some, i) => new StoredBlock(decoder, about(i), encoder.encode(some)))
      for (const block of blocks.slice(1)) expect(block.messages.length).toBeGreaterThan(0)
      const there = unpackBlocks(packBlocks(blocks, encoder), decoder)
      expect(there.map(({ messages }) => fromColumns(messages))).toEqual(all.map(fromColumns))
      const again = unpackBlocks(packBlocks(there, encoder), decoder)
      expect(again.map(({ partition, offset, logTimeMs }) => ({ partition, offset, logTimeMs }))).toEqual(
        all.map((_, i) => about(i)),
      )
    }),
  )
})

test('more names than are kept, and names of all lengths, come out as they went in', () => {
  const decoder = new BlockDecoder()
  for (let round = 0; round < 2; round++) {
    const names = Array.from({ length: 40_000 }, (_, i) => [`${'n'.repeat(i % 20)}${round}-${i}`, 'h'])
    const rest = { timeMs: 0, gauges: [1, 2, 3], agent: null, seq: null }
    const messages = names.map((some) => ({ names: some, ...rest }))
    const decoded = decoder.decode(encodeBlock(toColumns(host, messages))) as Columns
    expect(fromColumns(decoded).map((message) => message.names)).toEqual(names)
  }
})

/** Uses everything that a decoded block says: a value of the wrong kind would throw here. */
function use(all: Columns): void {
  for (const { names, attributes = [], agent, seq, timeMs } of fromColumns(all)) {
    for (const name of names) expect(typeof name).toBe('string')
    for (const one of [...attributes, agent]) if (one !== null) expect(typeof one).toBe('string')
    if (seq !== null) expect(Number.isSafeInteger(seq) && seq > 0).toBe(true)
    expect(new Date(timeMs).getTime()).toBe(timeMs)
  }
}

test('a block that is damaged anyhow is read or called damaged, and nothing is thrown', () => {
  const decoder = new BlockDecoder()
  const hurt = columns.chain((messages) => damaged(encodeBlock(messages)))
  let sound = 0
  fc.assert(
    fc.property(fc.oneof(hurt, fc.uint8Array({ maxLength: 400 })), (bytes) => {
      decoder.forEachAgent(bytes, (agent, seq) => {
        expect([typeof agent, Number.isSafeInteger(seq)]).toEqual(['string', true])
      })
      const decoded = decoder.decode(bytes)
      if ('damage' in decoded) expect(decoded.damage).toMatch(/^a block /)
      else use(decoded)
      sound += 'damage' in decoded ? 0 : 1
    }),
    { numRuns: 2_000 },
  )
  expect(sound).toBeGreaterThan(10)
})

test('a stored block that is damaged says so when it is looked at', () => {
  const about = { partition: 0, offset: 3, logTimeMs: 0 }
  const block = new StoredBlock(new BlockDecoder(), about, new Uint8Array(3))
  expect(() => block.messages).toThrow(expect.objectContaining({ code: 'E_COLUMNS' }))
})
