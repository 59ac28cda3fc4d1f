import type { Dataset } from '../../schemas/dataset.ts'
import { type Definitions, messagesTable, viewsOf } from '../../schemas/definitions.ts'
import type { View } from '../../schemas/view.ts'
import type { Table } from '../delta/port.ts'
import { RUNS } from './runs.ts'
import { ticksTable } from './ticks.ts'

/** A view as it is configured, and its tables. */
export interface ViewTables {
  readonly view: View
  readonly published: Table
  readonly ticks: Table
}

/** A dataset, the table of its messages and its views. */
export interface DatasetTables {
  readonly dataset: Dataset
  readonly messages: Table
  readonly views: readonly ViewTables[]
}

/** Every table of a deployment. */
export interface LakeTables {
  readonly datasets: readonly DatasetTables[]
  readonly runs: Table
}

/** The tables of `definitions`, each opened by `open`; none needs to exist. */
export function lakeTables(definitions: Definitions, open: (name: string) => Table): LakeTables {
  const datasets = definitions.datasets.map((dataset) => ({
    dataset,
    messages: open(messagesTable(dataset.name)),
    views: viewsOf(definitions, dataset.name).map((view) => {
      return { view, published: open(view.name), ticks: open(ticksTable(view)) }
    }),
  }))
  return { datasets, runs: open(RUNS) }
}

/** The tables of all views. */
export function allViews({ datasets }: Pick<LakeTables, 'datasets'>): ViewTables[] {
  return datasets.flatMap(({ views }) => views)
}
