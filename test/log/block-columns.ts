import fc from 'fast-check'
import { type Dataset, formOf, nameColumns } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Columns, type Message, toColumns } from '../../schemas/message.ts'
import { scores } from '../schemas/nasty-messages.ts'

const text = fc.constantFrom('a', 'web', 'größe', '😀'.repeat(128), 'x'.repeat(99))

function messagesOf(dataset: Dataset, maxLength = 9): fc.Arbitrary<Columns> {
  const each = <T>(values: readonly unknown[], one: fc.Arbitrary<T>) => fc.tuple(...values.map(() => one))
  const message: fc.Arbitrary<Message> = fc.record({
    names: each(nameColumns(formOf(dataset)), text),
    timeMs: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    gauges: fc.tuple(
      ...dataset.gauges.map(({ optional }) => fc.double({ noNaN: !optional, noDefaultInfinity: true })),
    ),
    ...(dataset.attributes.length > 0 && { attributes: each(dataset.attributes, fc.option(text)) }),
    agent: fc.option(text),
    seq: fc.option(fc.maxSafeNat().map((n) => Math.max(1, n))),
  })
  return fc.array(message, { minLength: 1, maxLength }).map((all) => toColumns(dataset, all))
}

/** Messages of one block, of one of two datasets. */
export const blockColumns = fc.oneof(messagesOf(host), messagesOf(scores))
