/** Characters of a key's value, a source or an agent id. */
export const NAME_CHARACTERS_MAX = 128

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
/** `isWellFormed` of newer engines is the same. */
const LONE_SURROGATE = /\p{Surrogate}/u
/** Characters that turn the direction of what is shown after them. */
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/
/** Nothing but blanks. */
const BLANK = /^\s*$/
/** Characters that are not shown at all: two names that differ in these look the same. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800\ufff9-\ufffb]/u
/** What joins letters of many scripts or the parts of an emoji, and so is seen by what it does. */
const JOINED =
  /(?<=\P{ASCII})[\u200c\u200d](?=\P{ASCII})|(?<=\p{Extended_Pictographic})[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f(?=\u20e3)/gu

/**
 * Whether `value` can be a name: 1 to 128 characters, none of them a control character, one that turns the direction of
 * writing, half of a surrogate pair or one that is not seen; not blanks alone; and neither `.` nor `..`, which no address can name.
 */
export function isName(value: unknown): value is string {
  return nameFault(value) === null
}

/** Returns what a name must be and `value` is not, to stand behind the name of a field; null when it is a name. */
export function nameFault(value: unknown): string | null {
  if (typeof value !== 'string') return 'must be text'
  if (value === '' || isTooLong(value)) return `must be 1 to ${NAME_CHARACTERS_MAX} characters`
  if (CONTROL.test(value)) return 'must be without control characters'
  if (LONE_SURROGATE.test(value)) return 'must be without half of a surrogate pair'
  if (DIRECTION.test(value)) return 'must be without characters that turn the direction of writing'
  if (BLANK.test(value)) return 'must have a character that is seen'
  if (UNSEEN.test(value.replace(JOINED, ''))) return 'must be without characters that are not seen'
  if (value === '.' || value === '..') return 'must be other than . and .., which no address can name'
  return null
}

function isTooLong(value: string): boolean {
  if (value.length <= NAME_CHARACTERS_MAX) return false
  return value.length > 2 * NAME_CHARACTERS_MAX || [...value].length > NAME_CHARACTERS_MAX
}
