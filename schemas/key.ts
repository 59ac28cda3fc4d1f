/**
 * Separates the values of a key: a control character, which no name can contain. It sorts before every character of a name, so
 * joined keys order by UTF-8 bytes as their values do, one column after the other.
 */
export const KEY_SEPARATOR = '\u001f'

/** The values of a view's key columns as one string. */
export function joinKey(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : values.join(KEY_SEPARATOR)
}

/** The inverse of `joinKey`. */
export function splitKey(key: string): string[] {
  return key.split(KEY_SEPARATOR)
}
