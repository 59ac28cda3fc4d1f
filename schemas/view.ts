import { createHash } from 'node:crypto'
import { type Dataset, nameColumns } from './dataset.ts'
import { TidemarkError } from './errors.ts'
import { MINUTE_MS } from './time.ts'

/**
 * A view's definition, as data. From this one value come its cells (`cell-fold.ts`), the SQL of the batch engines and the
 * columns of its table (`view-columns.ts`). It holds all that is needed to read what was computed by it, whatever becomes
 * of its dataset.
 */
export interface View {
  /** Also the name of the view's table. */
  readonly name: string
  readonly dataset: string
  /** The columns of the dataset, among its keys and its source, that name a cell besides its time. */
  readonly key: readonly string[]
  /** The column whose value a maximum names; null where the dataset has none or it is part of the key. */
  readonly source: string | null
  /** Length of a cell's time bucket: a divisor of an hour, an hour or a day. */
  readonly bucketMs: number
  readonly gauges: readonly ViewGauge[]
  /** What is kept of every gauge. */
  readonly measures: readonly MeasureName[]
}

/** Names of what can be kept of a gauge (`measures.ts`). */
export type MeasureName = 'count' | 'total' | 'maximum' | 'minimum' | 'quantiles'

/** What is aggregated: values of a gauge times `scale`. */
export interface ViewGauge {
  readonly gauge: string
  readonly scale: number
  /** Whether messages may lack it. */
  readonly optional: boolean
}

export interface ViewAbout {
  readonly name: string
  readonly key: readonly string[]
  readonly bucketMs?: number
  /** Absent: all of the dataset's. */
  readonly gauges?: readonly string[]
  readonly quantiles?: boolean
}

/** The view that `about` says, over `dataset`. Throws `E_CONFIG` when a column is none of the dataset's. */
export function defineView(dataset: Dataset, about: ViewAbout): View {
  const wrong = (reason: string) => new TidemarkError('E_CONFIG', `view ${about.name}: ${reason}`)
  for (const column of about.key)
    if (!nameColumns(dataset).includes(column)) throw wrong(`${dataset.name} has no key ${column}`)
  const wanted = about.gauges ?? dataset.gauges.map(({ name }) => name)
  const gauges = wanted.map((name) => {
    const gauge = dataset.gauges.find((one) => one.name === name)
    if (gauge === undefined) throw wrong(`${dataset.name} has no gauge ${name}`)
    return { gauge: name, scale: 1, optional: gauge.optional }
  })
  return {
    name: about.name,
    dataset: dataset.name,
    key: about.key,
    source: dataset.source !== null && about.key.includes(dataset.source) ? null : dataset.source,
    bucketMs: about.bucketMs ?? MINUTE_MS,
    gauges,
    measures: ['count', 'total', 'maximum', 'minimum', ...(about.quantiles ? ['quantiles' as const] : [])],
  }
}

/**
 * Raised when the meaning of a cell changes in code rather than in a definition, so that what was computed
 * by the old meaning is recomputed.
 */
const CELL_REVISION = 2

/** The definition hash: 16 hexadecimal digits of SHA-256 over the definition as canonical JSON. */
export function definitionHash(view: View): string {
  return hashAt(CELL_REVISION, view)
}

function hashAt(revision: number, view: View): string {
  return createHash('sha256')
    .update(`${revision} ${definitionJson(view)}`)
    .digest('hex')
    .slice(0, 16)
}

/** The definition as it is stored beside what was computed from it. */
export function definitionJson(view: View): string {
  const { name, dataset, key, source, bucketMs, gauges, measures } = view
  const plain = gauges.map(({ gauge, scale, optional }) => ({ gauge, scale, optional }))
  return JSON.stringify({ name, dataset, key, source, bucketMs, gauges: plain, measures })
}

/**
 * The definition that a table says it follows, with its hash. Throws `E_NEWER` where no revision that this release knows gives that hash:
 * what the cells mean, or what is kept of a gauge, came with a newer one.
 */
export function storedDefinition({ hash, definition }: { hash: string; definition: string }): View {
  const view = parseDefinition(definition)
  for (let revision = CELL_REVISION; revision > 0; revision--)
    if (hashAt(revision, view) === hash) return view
  throw new TidemarkError(
    'E_NEWER',
    `the definition ${hash} of ${view.name} means something that this release does not know`,
  )
}

const parsed = new Map<string, View>()
const PARSED_MAX = 1_000

/** The inverse of `definitionJson`; the same object for the same text. */
export function parseDefinition(json: string): View {
  let view = parsed.get(json)
  if (view === undefined) {
    if (parsed.size >= PARSED_MAX) parsed.clear()
    view = JSON.parse(json) as View
    parsed.set(json, view)
  }
  return view
}
