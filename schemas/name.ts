/** Characters of a key's value, a source or an agent id. */
export const NAME_CHARACTERS_MAX = 128

/** 1 to 128 characters, none of them a control character or half of a surrogate pair. */
export function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > 2 * NAME_CHARACTERS_MAX) return false
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value) || !value.isWellFormed()) return false
  return value.length <= NAME_CHARACTERS_MAX || [...value].length <= NAME_CHARACTERS_MAX
}
