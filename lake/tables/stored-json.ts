import { describeError, TidemarkError } from '../../schemas/errors.ts'

/** A check of what a field holds. */
export type Check = (value: unknown) => boolean

export const isText: Check = (value) => typeof value === 'string'
export const isWhole: Check = Number.isSafeInteger
export const isList: Check = Array.isArray
/** Whole numbers by name, like a position. */
export const isPosition: Check = (value) => isObject(value) && Object.values(value).every(isWhole)
export const isGaps: Check = (value) => Array.isArray(value) && value.every(isGap)

function isGap(value: unknown): boolean {
  return isObject(value) && [value.partition, value.from, value.to].every(isWhole)
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * What a table's log says of itself as JSON: an object in which at least `fields` are right. Throws `E_TABLE_DAMAGED`
 * naming `place`.
 */
export function storedJson<T>(place: string, text: string, fields: { readonly [name: string]: Check }): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new TidemarkError('E_TABLE_DAMAGED', `${place} is no JSON: ${describeError(error)}`, {
      cause: error,
    })
  }
  if (!isObject(value)) throw new TidemarkError('E_TABLE_DAMAGED', `${place} is no object`)
  for (const [name, isRight] of Object.entries(fields))
    if (!isRight(value[name])) throw new TidemarkError('E_TABLE_DAMAGED', `${place} has a wrong ${name}`)
  return value as T
}
