/** About as much of a value is shown. */
const SHOWN_CHARACTERS_MAX = 40
/** What cannot be seen, or changes how the rest is seen: all blanks but the usual one, formats, fillers. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u

/**
 * Returns a value of JSON for an error's words, shortened, with everything escaped that cannot be seen; of an array or object
 * only its kind, since it can be nested deeper than the stack.
 */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}

function quoted(text: string): string {
  let all = '"'
  // By characters, so that none is cut in half.
  for (const character of text) {
    if (all.length >= SHOWN_CHARACTERS_MAX) return `${all}…`
    all += UNSEEN.test(character) ? escaped(character) : JSON.stringify(character).slice(1, -1)
  }
  return `${all}"`
}

/** As in JavaScript: characters above U+FFFF in braces. */
function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16)
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
}
