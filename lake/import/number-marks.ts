/** How a column's numbers are written: `1.234,5`, `1,234.5`, or without marks of thousands and with a dot. */
export type NumberMarks = 'comma' | 'grouped' | 'none'

/** What marks thousands, beside a comma or a dot: apostrophes and blanks, those that do not break among them. */
export const GROUPS = "'\u2019 \u00a0\u202f"

const COMMA = new RegExp(`^-?\\d+([.${GROUPS}]\\d{3})*,\\d+ ?%?$`)
const DOT = new RegExp(`^-?\\d+([,${GROUPS}]\\d{3})*\\.\\d+ ?%?$`)
/** Which `1.234` may be too. */
const DOTS_OF_THOUSANDS = /^-?\d{1,3}(\.\d{3})+$/
const COMMAS_OF_THOUSANDS = /,\d{3},\d{3}/
const GROUPED = new RegExp(`^-?\\d{1,3}([,${GROUPS}]\\d{3})+(\\.\\d+)? ?%?$`)

/** Numbers with such marks, or without any, for `regexp_full_match`. */
export const MARKED: { readonly [marks in Exclude<NumberMarks, 'none'>]: string } = {
  comma: `[-+]?\\d*([.${GROUPS}]\\d{3})*(,\\d*)?([eE][-+]?\\d+)?`,
  grouped: `[-+]?\\d*([,${GROUPS}]\\d{3})*(\\.\\d*)?([eE][-+]?\\d+)?`,
}

/** Of some of a column's values. A comma alone, as in `1,234`, is a decimal comma unless another value shows that it is none. */
export function numberMarks(samples: readonly string[]): NumberMarks {
  const hasDot = samples.some(
    (text) => (DOT.test(text) && !DOTS_OF_THOUSANDS.test(text)) || COMMAS_OF_THOUSANDS.test(text),
  )
  if (!hasDot && samples.some((text) => COMMA.test(text))) return 'comma'
  return samples.some((text) => GROUPED.test(text)) ? 'grouped' : 'none'
}
