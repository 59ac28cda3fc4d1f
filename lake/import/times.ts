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
const CLOCK = String.raw`\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?[AP]M)?`
const MONTH = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)'
/** Dates in other forms than ISO 8601 has them, some with a time of day. What has a bar and a year of two digits may also begin with the year. */
const DATED = new RegExp(
  String.raw`^(?:(?<first>\d{1,2})(?<sep>[./-])(?<second>\d{1,2})\k<sep>(?:\d{4}|(?<=[./]\d{1,2}[./])(?<short>\d{2}))|\d{1,2}(?<nameSep>[ -])${MONTH}\k<nameSep>\d{4}|\d{4}(?<yearSep>[./-])\d{1,2}\k<yearSep>\d{1,2}|(?<compact>\d{8})(?=\D))(?:(?<between>[T ]+|, +|,)${CLOCK})?$`,
  'i',
)
const CLOCK_ALONE = new RegExp(String.raw`^${CLOCK}(?: ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?))?$`, 'i')
const COMPACT_DATE = /^(19|20|21)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/

/** Whether a text is a date without a time of day. */
export function isDateAlone(text: string): boolean {
  return COMPACT_DATE.test(text) || (!text.includes(':') && (ISO.test(text) || DATED.test(text)))
}

/** Whether a text is a time of day without its date. */
export function isClockAlone(text: string): boolean {
  return CLOCK_ALONE.test(text)
}

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
  const dates = most((text) => DATED.test(text))
  return dates === null ? null : dateForm(dates.map((text) => DATED.exec(text)!))
}

function dateForm(dates: readonly RegExpExecArray[]): TimeForm | 'ambiguous' {
  const date = dateFormat(dates)
  if (date === null) return 'ambiguous'
  const texts = dates.map(([text]) => text)
  const halves = texts.find((text) => /[ap]m$/i.test(text))
  const half = halves === undefined ? '' : / [ap]m$/i.test(halves) ? ' %p' : '%p'
  const hours = halves === undefined ? '%H' : '%I'
  const seconds = texts.some((text) => /:\d{2},\d/.test(text)) ? ['%S', '%S,%n'] : ['%S', '%S.%n']
  const clocks = [...seconds.map((second) => `${hours}:%M:${second}${half}`), `${hours}:%M${half}`]
  const between = dates.map(({ groups }) => groups!.between).find((text) => text !== undefined) ?? ' '
  return { kind: 'format', formats: [...clocks.map((clock) => `${date}${between}${clock}`), date] }
}

/** Null where day and month cannot be told apart. */
function dateFormat(dates: readonly RegExpExecArray[]): string | null {
  const { sep, yearSep, nameSep, short } = dates[0]!.groups!
  if (nameSep !== undefined) return ['%d', '%b', '%Y'].join(nameSep)
  if (sep === undefined) return yearSep === undefined ? '%Y%m%d' : ['%Y', '%m', '%d'].join(yearSep)
  const isOver12 = (which: 'first' | 'second') => dates.some(({ groups }) => Number(groups![which]) > 12)
  const isDayFirst = sep === '.' || isOver12('first')
  if (isDayFirst === isOver12('second') || (isDayFirst && sep !== '.' && short !== undefined)) return null
  return [...(isDayFirst ? ['%d', '%m'] : ['%m', '%d']), short === undefined ? '%Y' : '%y'].join(sep)
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
