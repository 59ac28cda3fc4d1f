/** What cannot be seen, or changes how the rest is seen: all blanks but the usual one, formats, fillers. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u
/** Joins what stands around it: parts of an emoji, letters of many scripts. */
const JOINER = /\u200c|\u200d|\ufe0e|\ufe0f/
const ASCII = /^\p{ASCII}$/u
/** Nearly all names: letters, digits and signs that everybody can see, and blanks between them. */
const PLAIN = /^[!-~][ -~]*$/

/** A name with everything escaped that cannot be seen or turns the direction of writing. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text
  let all = ''
  let before = ''
  for (const character of text) {
    const joins = JOINER.test(character) && before !== '' && !ASCII.test(before)
    all += UNSEEN.test(character) && !joins ? escaped(character) : character
    before = character
  }
  return all.trim() === '' ? `“${all}”` : all
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16)
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
}

/** A name within a text without markup: whatever its direction of writing, it turns nothing around it. */
export const isolated = (name: string) => `\u2068${visible(name)}\u2069`

/** Names that are not words. */
const NAMES: { readonly [name: string]: string } = { cpu: 'CPU', ram: 'RAM' }

/** A column's name as pages write it: `Disk`, `Free memory`. */
export function titleOf(name: string): string {
  if (Object.hasOwn(NAMES, name)) return NAMES[name]!
  const words = name.replaceAll('_', ' ')
  return words[0]!.toUpperCase() + words.slice(1)
}

const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'variant' })

/** Orders names as people do: `service-2` before `service-10`. */
export const compareNames = (a: string, b: string) => natural.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0)
