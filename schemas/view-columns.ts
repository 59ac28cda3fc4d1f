import type { CellColumn, ColumnType, NumberColumn } from './cell-column.ts'
import { COLUMN_GROUPS, type ColumnGroup, type GaugeColumns, type Measure } from './measures/measure.ts'
import { MEASURES } from './measures.ts'
import { memoize } from './memoize.ts'
import type { MeasureName, View } from './view.ts'

/** One column of a view's table; times are microseconds in files and ISO 8601 in JSON and CSV. */
export interface ViewColumn {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
}

/** Where the columns of one measure of one gauge stand among those of the view. */
export interface MeasurePlace {
  readonly measure: Measure
  readonly places: readonly number[]
}

export interface ViewLayout {
  readonly columns: readonly ViewColumn[]
  /** Place of the bucket's start; the key's columns stand before it. */
  readonly time: number
  /** Place of the number of messages. */
  readonly messages: number
  /** Per gauge of the view its measures. */
  readonly gauges: readonly (readonly MeasurePlace[])[]
}

/**
 * The columns of a view in published order: key, time, totals, maxima with their times, number of messages, sources of
 * maxima, counts of optional gauges, minima, sketches.
 */
export function viewColumns(view: View): readonly ViewColumn[] {
  return layoutOf(view).columns
}

/** The columns and what stands where. Asked for with every row. */
export const layoutOf = memoize(makeLayout)

function makeLayout({ key, source, gauges, measures }: View): ViewLayout {
  const columns: ViewColumn[] = [
    ...key.map((name) => ({ name, type: 'string' as const, nullable: false })),
    { name: 'time_stamp', type: 'timestamp', nullable: false },
  ]
  const places = gauges.map(() =>
    measures.map((name) => ({ measure: MEASURES[name], places: [] as number[] })),
  )
  let messages = 0
  for (const group of COLUMN_GROUPS) {
    if (group === 'messages') messages = columns.push({ name: 'msg_num', type: 'long', nullable: false }) - 1
    else addGroup(group)
  }
  return { columns, time: key.length, messages, gauges: places }

  function addGroup(group: ColumnGroup): void {
    for (const [g, gauge] of gauges.entries()) {
      for (const place of places[g]!) {
        for (const [c, column] of place.measure.columns(gauge, source).entries()) {
          if (column.group !== group) continue
          const { name, type, nullable } = column
          place.places[c] = columns.push({ name, type, nullable }) - 1
        }
      }
    }
  }
}

/** The columns of a measure among `columns`, which are a view's. */
export function pickPlaces(columns: readonly CellColumn[], { places }: MeasurePlace): CellColumn[] {
  return places.map((place) => columns[place]!)
}

/** The columns of gauge `g` by measure. */
export function gaugeColumns(view: View, columns: readonly CellColumn[], g: number): GaugeColumns {
  const layout = layoutOf(view)
  const byMeasure = new Map<MeasureName, readonly CellColumn[]>(
    layout.gauges[g]!.map((place) => [place.measure.name, pickPlaces(columns, place)]),
  )
  const own = byMeasure.get('count')?.[0] ?? columns[layout.messages]
  const counts = (own as NumberColumn).values
  return { counts, of: (measure) => byMeasure.get(measure) ?? null }
}
