/** Characters of a key's value, a source or an agent id. */
export const NAME_CHARACTERS_MAX = 128

/** Characters that turn the direction of what is shown after them. */
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

/** `isWellFormed` of newer engines is the same. */
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * 1 to 128 characters, none of them a control character, one that turns the direction of writing or half of a surrogate
 * pair; not only blanks, and neither `.` nor `..`, which no path can ask for.
 */
export function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 2 * NAME_CHARACTERS_MAX) return false
  if (value.trim() === '' || value === '.' || value === '..' || DIRECTION.test(value)) return false
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value) || LONE_SURROGATE.test(value)) return false
  return value.length <= NAME_CHARACTERS_MAX || [...value].length <= NAME_CHARACTERS_MAX
}
