import { TidemarkError } from '../../schemas/errors.ts'
import type { Field, TableSchema } from './port.ts'

/** Types of columns this project's tables use; Delta has more. */
const TYPES: ReadonlySet<unknown> = new Set<Field['type']>([
  'string',
  'long',
  'integer',
  'double',
  'boolean',
  'timestamp',
  'date',
])

/** The type of a sketch: PROTOCOL.md, "Array Type" and "Struct Type". */
const SKETCH = {
  type: 'array',
  elementType: {
    type: 'struct',
    fields: [
      { name: 'bucket', type: 'integer', nullable: false, metadata: {} },
      { name: 'count', type: 'long', nullable: false, metadata: {} },
    ],
  },
  containsNull: false,
}

/** Whether it is an array of buckets and counts, whatever wrote it down, and may be null wherever it says. */
function isSketch(type: unknown): boolean {
  const { type: kind, elementType } = type as {
    type?: unknown
    elementType?: { type?: unknown; fields?: { name: unknown; type: unknown }[] }
  }
  if (kind !== 'array' || elementType?.type !== 'struct') return false
  const fields = elementType.fields?.map(({ name, type: own }) => `${name} ${own}`)
  return fields?.join() === 'bucket integer,count long'
}

/** `schemaString` of a `metaData` action: PROTOCOL.md, "Schema Serialization Format". */
export function schemaString({ fields }: TableSchema): string {
  return JSON.stringify({
    type: 'struct',
    fields: fields.map(({ name, type, nullable }) => {
      return { name, type: type === 'sketch' ? SKETCH : type, nullable, metadata: {} }
    }),
  })
}

/** The inverse; throws `E_TABLE_VERSION` for a type of column that is not ours. `file` is for the message. */
export function parseSchema(file: string, json: string, partitionBy: readonly string[]): TableSchema {
  const { fields } = JSON.parse(json) as { fields: { name: string; type: unknown; nullable: boolean }[] }
  for (const { name, type } of fields) {
    if (TYPES.has(type) || isSketch(type)) continue
    const what = JSON.stringify(type)
    throw new TidemarkError(
      'E_TABLE_VERSION',
      `${file}: column ${name} has the type ${what}, which is not read`,
    )
  }
  return {
    fields: fields.map(({ name, type, nullable }) => {
      return { name, type: isSketch(type) ? 'sketch' : (type as Field['type']), nullable }
    }),
    partitionBy,
  }
}
