import { memoize } from './memoize.ts'

/**
 * A dataset: a named kind of message, as data. From this one value come its wire form, the columns of blocks, spools and
 * the lake's table, and what its views can aggregate.
 */
export interface Dataset {
  readonly name: string
  /** Columns whose values name what was measured; 1 to 6. */
  readonly keys: readonly string[]
  /** The column that says who measured, which maxima name; null where there is none. */
  readonly source: string | null
  readonly gauges: readonly Gauge[]
  /** Optional strings that are kept with a message and not aggregated. */
  readonly attributes: readonly string[]
}

/** A number sampled over time. */
export interface Gauge {
  readonly name: string
  /** What pages write behind a value, like `%`; empty where it has none. */
  readonly unit: string
  /** Bounds of its values, both allowed. */
  readonly min: number
  readonly max: number
  /** Whether a message may lack it. */
  readonly optional: boolean
}

/** The gauge of that name; one that the dataset no longer has is without unit and bounds. */
export function gaugeNamed({ gauges }: Dataset, name: string): Gauge {
  return gauges.find((gauge) => gauge.name === name) ?? { name, unit: '', min: 0, max: 0, optional: true }
}

/** The largest absolute value a gauge may have by default. Sums of 1e9 such values stay far below the largest double. */
export const GAUGE_VALUE_MAX = 1e15

/**
 * The names of the columns that messages were written with. It goes with everything that is stored, so that nothing is
 * read as something else.
 */
export interface MessageForm {
  readonly dataset: string
  readonly keys: readonly string[]
  readonly source: string | null
  readonly gauges: readonly string[]
  readonly attributes: readonly string[]
}

/** The form of a dataset's messages; the same object for the same dataset. */
export const formOf = memoize(
  ({ name, keys, source, gauges, attributes }: Dataset): MessageForm => ({
    dataset: name,
    keys,
    source,
    gauges: gauges.map((gauge) => gauge.name),
    attributes,
  }),
)

/** The columns of required strings: the keys, then the source where there is one. */
export function nameColumns({ keys, source }: Pick<MessageForm, 'keys' | 'source'>): readonly string[] {
  return source === null ? keys : [...keys, source]
}

/** A form as text: in blocks, files and heads. */
export function formText({ dataset, keys, source, gauges, attributes }: MessageForm): string {
  return JSON.stringify([dataset, keys, source, gauges, attributes])
}

/** The inverse of `formText`; null when the text is none. */
export function parseForm(text: string): MessageForm | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(value) || value.length !== 5) return null
  const [dataset, keys, source, gauges, attributes] = value
  if (typeof dataset !== 'string' || !(source === null || typeof source === 'string')) return null
  if (![keys, gauges, attributes].every(areTexts)) return null
  return { dataset, keys, source, gauges, attributes }
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

/** The dataset of lines that name none. */
export const DEFAULT_DATASET = 'host'
