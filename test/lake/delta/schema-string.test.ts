import { expect, test } from 'vitest'
import type { Field, TableSchema } from '../../../lake/delta/port.ts'
import { parseSchema, schemaString } from '../../../lake/delta/schema-string.ts'

const TYPES: readonly Field['type'][] = [
  'string',
  'long',
  'integer',
  'double',
  'boolean',
  'timestamp',
  'date',
  'sketch',
]

test('columns of every type, with and without null, come back as they were written', () => {
  const fields = TYPES.flatMap((type) =>
    [true, false].map((nullable) => ({ name: `${type} ${nullable} "ü`, type, nullable })),
  )
  const schema: TableSchema = { fields, partitionBy: ['date false "ü'] }
  expect(parseSchema('t', schemaString(schema), schema.partitionBy)).toEqual(schema)
})

const array = (fields: unknown[]) => ({
  type: 'array',
  elementType: { type: 'struct', fields },
  containsNull: true,
})
const field = (name: string, type: unknown) => ({ name, type, nullable: true, metadata: {} })

test('a sketch is known whoever wrote it down', () => {
  const json = JSON.stringify({
    type: 'struct',
    fields: [field('s', array([field('bucket', 'integer'), field('count', 'long')]))],
  })
  expect(parseSchema('t', json, []).fields).toEqual([{ name: 's', type: 'sketch', nullable: true }])
})

test('a type that is not ours is refused by column and type', () => {
  const others = [
    'decimal(10,2)',
    array([field('bucket', 'string'), field('count', 'long')]),
    array([field('bucket', 'integer'), field('count', 'double')]),
    array([field('bucket', 'integer')]),
    { type: 'array', elementType: 'integer', containsNull: true },
    { type: 'map', keyType: 'string', valueType: 'string', valueContainsNull: true },
    { type: 'struct', fields: [] },
  ]
  for (const type of others) {
    const json = JSON.stringify({ type: 'struct', fields: [field('odd', type)] })
    expect(() => parseSchema('t', json, []), JSON.stringify(type)).toThrow(/t: column odd has the type/)
  }
})
