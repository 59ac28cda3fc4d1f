import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Batch, BlockBatches } from '../../log/block-batches.ts'
import type { Block } from '../../schemas/block.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Columns, type FoldColumns, type Message, toColumns } from '../../schemas/message.ts'
import { stringAt } from '../../schemas/string-column.ts'
import { decodeOrDamage, encodeBlock } from '../sim/blocks.ts'
import { blockColumns } from './block-columns.ts'
import { damaged } from './damaged.ts'

const batches = new BlockBatches()
const rowsOf = ({ form, length, names, timeMs, gauges }: FoldColumns) =>
  Array.from({ length }, (_, i) => ({
    form,
    names: names.map((column) => stringAt(column, i)),
    timeMs: timeMs[i],
    gauges: gauges.map((values) => values[i]),
  }))
const readOf = ({ messages }: Batch) => ('damage' in messages ? [messages] : rowsOf(messages))

function blockOf(payload: Uint8Array, offset: number): Block {
  const block = { partition: 0, offset, logTimeMs: 10 * offset, payload }
  return {
    ...block,
    get messages(): Columns {
      return expect.unreachable('a block that has its bytes is read from them')
    },
  }
}

/** Payloads one behind the other in one memory, each ending at a multiple of eight or not. */
function inOneMemory(payloads: readonly Uint8Array[], shift: number): Block[] {
  const memory = new Uint8Array(payloads.reduce((sum, { length }) => sum + length + 16, 0))
  let at = 0
  return payloads.map((payload, offset) => {
    const end = ((at + payload.length + 7) & ~7) + (offset % 2) * shift
    memory.set(payload, end - payload.length)
    at = end
    return blockOf(memory.subarray(end - payload.length, end), offset)
  })
}

const payload = blockColumns.chain((messages) => {
  const whole = encodeBlock(messages)
  return fc.oneof({ weight: 3, arbitrary: fc.constant<Uint8Array>(whole) }, damaged(whole))
})

test('many blocks read together are what they are one by one, damage included, in their order', () => {
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 12 }), fc.nat(7), (payloads, shift) => {
      const blocks = inOneMemory(payloads, shift)
      const alone = blocks.flatMap(({ payload }): object[] => {
        const decoded = decodeOrDamage(payload!)
        return 'damage' in decoded ? [decoded] : rowsOf(decoded)
      })
      const read: unknown[] = []
      let next = 0
      for (const batch of batches.of(blocks)) {
        expect(batch.first).toBe(blocks[next])
        next = batch.last.offset + 1
        read.push(...readOf(batch))
      }
      expect(next).toBe(blocks.length)
      expect(read).toEqual(alone)
    }),
    { numRuns: 500 },
  )
})

const message = (service: string, i: number): Message => ({
  names: [service, `h${i}`],
  timeMs: i,
  gauges: [i, 2 * i, 3 * i],
  agent: null,
  seq: null,
})

test('blocks of one form come as few batches', () => {
  const payloads = Array.from({ length: 200 }, (_, b) =>
    encodeBlock(
      toColumns(
        host,
        Array.from({ length: 50 }, (_, i) => message(`s${b % 7}`, i)),
      ),
    ),
  )
  const lengths = [...new BlockBatches().of(payloads.map(blockOf))].map(
    ({ messages }) => (messages as Columns).length,
  )
  expect(lengths).toEqual([4_050, 4_050, 1_900])
})

test('a block larger than a batch, and more names than are kept, are read', () => {
  const many = Array.from({ length: 40_000 }, (_, i) => message(`service ${i}`, i))
  for (const prefix of ['a', 'b', 'c']) {
    const own = many.map((one) => ({ ...one, names: [prefix + one.names[0], one.names[1]!] }))
    const [batch, ...more] = [...batches.of([blockOf(encodeBlock(toColumns(host, own)), 0)])]
    expect(more).toEqual([])
    const { names, length } = batch!.messages as FoldColumns
    expect(length).toBe(40_000)
    for (let i = 0; i < length; i += 997) expect(stringAt(names[0]!, i)).toBe(own[i]!.names[0])
  }
})

test('a block without a form is none, also behind one that has a form', () => {
  const whole = encodeBlock(toColumns(host, [message('a', 1)]))
  const formless = new Uint8Array(whole)
  formless[2] = 0
  formless[3] = 0
  const read = [...batches.of([blockOf(whole, 0), blockOf(formless, 1)])]
  expect(read.at(-1)!.messages).toEqual(decodeOrDamage(formless))
  expect(read.at(-1)!.messages).toHaveProperty('damage')
})
