import type { LogReader } from '../../log/port.ts'
import { readKept } from '../../log/read-kept.ts'
import type { Block } from '../../schemas/block.ts'
import { nameColumns } from '../../schemas/dataset.ts'
import { isError } from '../../schemas/errors.ts'
import { lowest, offsetIn, type Position } from '../../schemas/position.ts'
import { allViews, type LakeTables } from './deployment.ts'
import { namedPosition } from './named-position.ts'
import type { ColumnNames } from './recent-names.ts'

/** As many as speed asks for. */
const BLOCKS_PER_READ = 2_048

/** The names, by the keys of the views, of what a log holds and no tick or version of every view tells yet. */
export async function namesInLog(
  log: Pick<LogReader, 'partitions' | 'start' | 'end' | 'read'>,
  tables: Pick<LakeTables, 'datasets'>,
): Promise<ColumnNames[]> {
  const told = await toldByAll(tables)
  const names = new Map(
    tables.datasets.map(({ dataset, views }) => {
      const keys = new Set(views.flatMap(({ view }) => view.key))
      return [dataset.name, new Map(Array.from(keys, (column) => [column, new Set<string>()]))]
    }),
  )
  for (const partition of log.partitions()) {
    const end = log.end(partition)
    for (let after = offsetIn(told, partition); after < end; ) {
      const { blocks, to } = await readKept(log, { partition, after, afterMs: 0 }, BLOCKS_PER_READ)
      for (const block of blocks) addNames(names, block)
      if (to === after) break
      after = to
    }
  }
  return [...names].flatMap(([dataset, columns]) =>
    Array.from(columns, ([column, found]) => ({ dataset, column, names: [...found] })),
  )
}

/** Up to where each view has a tick or a version. */
async function toldByAll(tables: Pick<LakeTables, 'datasets'>): Promise<Position> {
  const told = allViews(tables).map(async ({ published, ticks }) =>
    namedPosition(await published.snapshot(), await ticks.snapshot()),
  )
  return lowest(...(await Promise.all(told)))
}

/** A block that cannot be read has none. */
function addNames(names: ReadonlyMap<string, ReadonlyMap<string, Set<string>>>, block: Block): void {
  try {
    const { form, names: columns } = block.messages
    for (const [c, column] of nameColumns(form).entries()) {
      const found = names.get(form.dataset)?.get(column)
      if (found !== undefined) for (const name of columns[c]!.dictionary) found.add(name)
    }
  } catch (error) {
    if (!isError(error, 'E_COLUMNS')) throw error
  }
}
