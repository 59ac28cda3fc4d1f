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

/** `schemaString` of a `metaData` action: PROTOCOL.md, "Schema Serialization Format". */
export function schemaString({ fields }: TableSchema): string {
  return JSON.stringify({
    type: 'struct',
    fields: fields.map(({ name, type, nullable }) => ({ name, type, nullable, metadata: {} })),
  })
}

/** The inverse; throws `E_TABLE_VERSION` for a type of column that is not ours. `file` is for the message. */
export function parseSchema(file: string, json: string, partitionBy: readonly string[]): TableSchema {
  const { fields } = JSON.parse(json) as { fields: { name: string; type: unknown; nullable: boolean }[] }
  for (const { name, type } of fields) {
    if (TYPES.has(type)) continue
    const what = JSON.stringify(type)
    throw new TidemarkError(
      'E_TABLE_VERSION',
      `${file}: column ${name} has the type ${what}, which is not read`,
    )
  }
  return {
    fields: fields.map(({ name, type, nullable }) => ({ name, type: type as Field['type'], nullable })),
    partitionBy,
  }
}
