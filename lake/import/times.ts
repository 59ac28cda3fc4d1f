/** How a column of times is written. */
export type TimeForm =
  /** A number since 1970. */
  | { readonly kind: 'number'; readonly unit: TimeUnit }
  /** ISO 8601 or close to it, with its zone. */
  | { readonly kind: 'zoned' }
  /** The same without a zone. */
  | { readonly kind: 'local' }
  /** Some with their zone, some without. */
  | { readonly kind: 'mixed' }
  /** As formats of `strptime` say, the first that fits; without a zone. */
  | { readonly kind: 'format'; readonly formats: readonly string[] }
  /** A type of the engine that holds times. */
  | { readonly kind: 'typed'; readonly zoned: boolean }

export const TIME_UNITS = ['s', 'ms', 'us', 'ns'] as const
export type TimeUnit = (typeof TIME_UNITS)[number]

const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?$/
const ISO_ZONED = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)? ?(Z|UTC|[+-]\d{2}(:?\d{2})?)$/
const NUMBER = /^-?\d+(\.\d+)?$/
const DAY_FIRST =
  /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:([T ]+|, +|,)(\d{1,2}):\d{2}(:\d{2}(\.\d{1,9})?)?( ?[AP]M)?)?$/i

/** Whether a text is a time that is written in full, in whatever form: a number alone only where it is large enough. */
export function looksLikeTime(text: string): boolean {
  return guessTimeForm([text]) !== null
}

/**
 * Guesses how times are written from some of them, most of which are times: others are refused when they are read. Null when they are
 * none that are known, `ambiguous` when day and month cannot be told apart.
 */
export function guessTimeForm(samples: readonly string[]): TimeForm | 'ambiguous' | null {
  const most = (fits: (text: string) => boolean) => {
    const found = samples.filter(fits)
    return found.length > samples.length / 2 ? found : null
  }
  const numbers = most((text) => NUMBER.test(text))
  if (numbers !== null) return numberForm(numbers.map(Number))
  const iso = most((text) => ISO.test(text) || ISO_ZONED.test(text))
  if (iso !== null) {
    const zoned = iso.filter((text) => ISO_ZONED.test(text)).length
    return { kind: zoned === 0 ? 'local' : zoned === iso.length ? 'zoned' : 'mixed' }
  }
  const dates = most((text) => DAY_FIRST.test(text))
  return dates === null ? null : dateForm(dates.map((text) => DAY_FIRST.exec(text)!))
}

function dateForm(dates: readonly RegExpExecArray[]): TimeForm | 'ambiguous' {
  const separator = dates[0]![2]!
  const isDayFirst = separator === '.' || dates.some((date) => Number(date[1]) > 12)
  const isMonthFirst = dates.some((date) => Number(date[3]) > 12)
  if (isDayFirst === isMonthFirst) return 'ambiguous'
  const date = (isDayFirst ? ['%d', '%m', '%Y'] : ['%m', '%d', '%Y']).join(separator)
  const halves = dates.find(([text]) => /[ap]m$/i.test(text))?.[0]
  const clocks =
    halves === undefined
      ? ['%H:%M:%S', '%H:%M:%S.%n', '%H:%M']
      : [':%M:%S', ':%M:%S.%n', ':%M'].map((rest) => `%I${rest}${/ [ap]m$/i.test(halves) ? ' ' : ''}%p`)
  const between = dates.map((found) => found[5]).find((text) => text !== undefined) ?? ' '
  return { kind: 'format', formats: [...clocks.map((clock) => `${date}${between}${clock}`), date] }
}

/** By size: 1e11 seconds are the year 5138, 1e11 milliseconds 1973. */
function numberForm(values: readonly number[]): TimeForm | null {
  const largest = Math.max(...values.map(Math.abs))
  if (largest < 1e8) return null
  const unit = largest < 1e11 ? 's' : largest < 1e14 ? 'ms' : largest < 1e17 ? 'us' : 'ns'
  return { kind: 'number', unit }
}

/** The form that a person names: a unit, or a format of `strptime`. */
export function namedTimeForm(text: string): TimeForm {
  const unit = TIME_UNITS.find((one) => one === text)
  return unit === undefined ? { kind: 'format', formats: [text] } : { kind: 'number', unit }
}

/** The form of a column whose type holds times; null for other types. */
export function typedTimeForm(type: string): TimeForm | null {
  if (type === 'TIMESTAMP WITH TIME ZONE') return { kind: 'typed', zoned: true }
  return type.startsWith('TIMESTAMP') || type === 'DATE' ? { kind: 'typed', zoned: false } : null
}

export function describeTimeForm(form: TimeForm, zone: string): string {
  switch (form.kind) {
    case 'number':
      return `numbers, in ${form.unit} since 1970`
    case 'zoned':
      return 'with their zone'
    case 'local':
      return `in ${zone}`
    case 'mixed':
      return `with their zone, others in ${zone}`
    case 'format':
      return `as ${form.formats[0]!} in ${zone}`
    case 'typed':
      return form.zoned ? 'of a type with zone' : `of a type without zone, in ${zone}`
  }
}
