import { type Dataset, nameColumns } from '../../../schemas/dataset.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import type { ImportColumn } from '../columns.ts'
import { columnFor, type ImportOptions, idleColumn } from '../named-column.ts'
import { type SeriesName, VALUE } from './series-name.ts'

/** Where a file has more values, rows are made of those alone that are gauges. */
export const VALUE_COLUMNS_MAX = 64
/** The label of series that have none, but a name that is none of a gauge: `web` and `db` in `Time,web,db`. */
const NAME_LABEL = 'series'
const MEASUREMENT_LABEL = '_measurement'

/** How series become rows: those of the same labels and time are one. */
export interface Pivot {
  /** Labels that say whose the values are. */
  readonly labels: readonly string[]
  /** What is measured, all of it. */
  readonly names: readonly string[]
  /** What rows are made of. */
  readonly values: readonly string[]
  /** Of each series, in their order: its values of `labels`, and its place among `values`; −1 where it is none of them. */
  readonly series: readonly { readonly labels: readonly string[]; readonly value: number }[]
}

/**
 * Which labels are the dataset's names, by what a person says and by what they are called, and which series is which value: by its field, with
 * the measurement and the labels that tell it apart where those are needed. Throws `E_USAGE`.
 */
export function planPivot(named: readonly SeriesName[], dataset: Dataset, options: ImportOptions): Pivot {
  const series = named.every((one) => isBare(one, dataset, options))
    ? named.map(({ field }) => ({ measurement: '', field: VALUE, labels: { [NAME_LABEL]: field } }))
    : named
  const known = [...new Set(series.flatMap((one) => Object.keys(labelsOf(one))))]
  const labels = nameLabels(known, dataset, options)
  const own = series.map((one) => labels.map((label) => labelsOf(one)[label] ?? ''))
  const names = valueNames(series, own, labels, (name) => isGauge(name, dataset, options))
  const all = [...new Set(names)].sort()
  const values = all.length <= VALUE_COLUMNS_MAX ? all : rowNames(all, dataset, options)
  const placeOf = new Map(values.map((name, place) => [name, place]))
  return {
    labels,
    names: all,
    values,
    series: names.map((name, i) => ({ labels: own[i]!, value: placeOf.get(name) ?? -1 })),
  }
}

function labelsOf({ labels, measurement }: SeriesName): { readonly [label: string]: string } {
  return measurement === '' ? labels : { ...labels, [MEASUREMENT_LABEL]: measurement }
}

const asColumns = (names: readonly string[]) =>
  names.map((name): ImportColumn => ({ name, type: 'VARCHAR', samples: [] }))

const isGauge = (name: string, { gauges }: Dataset, options: ImportOptions) =>
  gaugeNames([name], gauges, options).length > 0

/** The values that rows are made of where there are too many. */
function rowNames(all: readonly string[], { gauges }: Dataset, options: ImportOptions): string[] {
  const names = gaugeNames(all, gauges, options)
  // What lacks is said of rows.
  return names.length === 0 ? all.slice(0, 1) : names
}

/** The values that gauges are found for. */
function gaugeNames(all: readonly string[], gauges: Dataset['gauges'], options: ImportOptions): string[] {
  const columns = asColumns(all)
  const found = gauges.flatMap(({ name }) => [
    columnFor(columns, name, options, new Set()),
    idleColumn(columns, name, options),
  ])
  return [...new Set(found.flatMap((one) => one?.column.name ?? []))]
}

function isBare(
  { labels, isWord = false, field }: SeriesName,
  dataset: Dataset,
  options: ImportOptions,
): boolean {
  return isWord && Object.keys(labels).length === 0 && field !== VALUE && !isGauge(field, dataset, options)
}

/** The labels that are names or attributes of the dataset. */
function nameLabels(known: readonly string[], dataset: Dataset, options: ImportOptions): string[] {
  const labels = new Set<string>()
  for (const wanted of [...nameColumns(dataset), ...dataset.attributes]) {
    if (options.set[wanted] !== undefined) continue
    const found = columnFor(asColumns(known), wanted, options, labels)
    if (found !== null) labels.add(found.column.name)
    else if (dataset.keys.includes(wanted)) {
      const listed = known.length === 0 ? 'have no labels' : `have the labels ${known.join(', ')}`
      throw usage(
        `no label is ${wanted}; the series ${listed}; say --map ${wanted}=LABEL or --set ${wanted}=VALUE`,
      )
    }
  }
  return [...labels]
}

function valueNames(
  series: readonly SeriesName[],
  own: readonly (readonly string[])[],
  nameLabels: readonly string[],
  isKnown: (name: string) => boolean,
): string[] {
  const groupOf = ({ measurement, field }: SeriesName) => JSON.stringify([measurement, field])
  const groups = Map.groupBy(series.keys(), (i) => groupOf(series[i]!))
  const measurements = Map.groupBy(groups.keys(), (group) => (JSON.parse(group) as [string, string])[1])
  const names = new Array<string>(series.length)
  for (const places of groups.values()) {
    const { measurement, field } = series[places[0]!]!
    const both = `${measurement} ${field}`.trim()
    const base = measurements.get(field)!.length === 1 && !isKnown(both) ? field : both
    // Labels tell series apart only where the names do not.
    const isOne = new Set(places.map((i) => JSON.stringify(own[i]))).size === places.length
    const others = isOne
      ? []
      : varying(
          places.map((i) => series[i]!.labels),
          nameLabels,
        )
    for (const i of places) {
      const apart = others.map((label) => ` ${label}=${series[i]!.labels[label] ?? ''}`)
      names[i] = base + apart.join('')
    }
  }
  return names
}

/** Labels of which not all series have the same value. */
function varying(all: readonly SeriesName['labels'][], except: readonly string[]): string[] {
  const labels = [...new Set(all.flatMap((one) => Object.keys(one)))].sort()
  return labels.filter((label) => !except.includes(label) && all.some((one) => one[label] !== all[0]![label]))
}

function usage(message: string): TidemarkError {
  return new TidemarkError('E_USAGE', message)
}
