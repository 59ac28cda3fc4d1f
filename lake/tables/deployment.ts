import type { Dataset } from '../../schemas/dataset.ts'
import { type Definitions, messagesTable, viewsOf } from '../../schemas/definitions.ts'
import type { View } from '../../schemas/view.ts'
import type { Table } from '../delta/port.ts'
import { frozenTable } from './frozen.ts'
import { RUNS } from './runs.ts'
import { ticksTable } from './ticks.ts'

/** A view as it is configured, its versions and its ticks. */
export interface TickedView {
  readonly view: View
  readonly published: Table
  readonly ticks: Table
}

/** A view, and all its tables. */
export interface ViewTables extends TickedView {
  /** Cells of messages that are expired. */
  readonly frozen: Table
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
      return {
        view,
        published: open(view.name),
        ticks: open(ticksTable(view)),
        frozen: open(frozenTable(view)),
      }
    }),
  }))
  return { datasets, runs: open(RUNS) }
}

/** The tables of all views. */
export function allViews({ datasets }: Pick<LakeTables, 'datasets'>): ViewTables[] {
  return datasets.flatMap(({ views }) => views)
}
