import { nameColumns } from '../../schemas/dataset.ts'
import { isError } from '../../schemas/errors.ts'
import { utcDate } from '../../schemas/time.ts'
import type { DataFile, Table } from '../delta/port.ts'
import { textsIn } from '../parquet/texts.ts'
import type { DatasetTables, LakeTables, ViewTables } from './deployment.ts'
import { ticksOf } from './ticks.ts'

/** Names that messages of a dataset had in one of its name columns, those of the newest first. */
export interface ColumnNames {
  readonly dataset: string
  readonly column: string
  readonly names: readonly string[]
}

/**
 * The names of what was received or is dated since `sinceMs`, by the keys of the views; a file that cannot be read is left
 * out. It reads the columns of names alone, of files of about a day.
 */
export async function recentNames(
  { datasets }: Pick<LakeTables, 'datasets'>,
  sinceMs: number,
): Promise<ColumnNames[]> {
  const found: ColumnNames[] = []
  for (const tables of datasets)
    for (const [column, names] of await namesOf(tables, sinceMs))
      found.push({ dataset: tables.dataset.name, column, names: [...names] })
  return found
}

async function namesOf(
  { dataset, views }: DatasetTables,
  sinceMs: number,
): Promise<Map<string, Set<string>>> {
  const names = new Map(nameColumns(dataset).map((column) => [column, new Set<string>()]))
  for (const tables of views) {
    const { key } = tables.view
    for (const { table, file } of await newestFiles(tables, sinceMs)) {
      try {
        const texts = await textsIn(table.name, await table.readFile(file), key)
        for (const column of key) for (const text of texts.get(column)!) names.get(column)?.add(text)
      } catch (error) {
        if (!isError(error, 'E_FILE_DAMAGED')) throw error
      }
    }
  }
  return names
}

/** Ticks made since then, and files of dates since then, each the newest first. */
async function newestFiles(
  { published, ticks }: ViewTables,
  sinceMs: number,
): Promise<{ readonly table: Table; readonly file: DataFile }[]> {
  const recent = ticksOf(await ticks.snapshot())
    .map(({ file }) => ({ table: ticks, file }))
    .filter(({ file }) => file.modifiedMs >= sinceMs)
    .sort((a, b) => b.file.modifiedMs - a.file.modifiedMs)
  const first = utcDate(sinceMs)
  const dated = [...((await published.snapshot())?.files.values() ?? [])]
    .filter(({ partition }) => partition.date! >= first)
    .sort((a, b) => (a.partition.date! < b.partition.date! ? 1 : -1))
    .map((file) => ({ table: published, file }))
  return [...recent, ...dated]
}
