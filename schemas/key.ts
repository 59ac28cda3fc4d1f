/** Separates the values of a key: a control character, which no name can contain. */
export const KEY_SEPARATOR = '\u001f'

/** The values of a view's key columns as one string. */
export function joinKey(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : values.join(KEY_SEPARATOR)
}

/** The inverse of `joinKey`. */
export function splitKey(key: string): string[] {
  return key.split(KEY_SEPARATOR)
}

/**
 * Orders joined keys as rows are: by the first column's UTF-8 bytes, then the second's. The separator sorts before every
 * character that a name may have, so the joined strings order alike.
 */
export { compareUtf8 as compareKeys } from './utf8.ts'
