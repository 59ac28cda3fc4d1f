import { nameColumns } from '../../schemas/dataset.ts'
import { viewsOf } from '../../schemas/definitions.ts'
import type { Args, Command, Io } from '../command.ts'
import { textTable } from '../help.ts'
import { builtInDefinitions } from '../settings/definitions.ts'

export const datasets: Command = {
  name: 'datasets',
  summary: 'The datasets and views, and where each is defined',
  flags: [{ name: 'json', about: 'As JSON' }],
  settings: ['data'],
  example: 'tidemark datasets',
  run,
}

async function run({ flags, settings }: Args, io: Io): Promise<number> {
  const builtIn = await builtInDefinitions()
  const definitions = settings.definitions(builtIn)
  if (flags.json !== undefined) {
    io.out(`${JSON.stringify(definitions, null, 2)}\n`)
    return 0
  }
  const where = (name: string, known: readonly { name: string }[]) =>
    known.some((one) => one.name === name) ? 'built in' : settings.fileName
  const datasetRows = definitions.datasets.map((dataset) => [
    dataset.name,
    nameColumns(dataset).join(', '),
    dataset.gauges
      .map(({ name, unit, optional }) => `${name}${unit && ` (${unit})`}${optional ? '?' : ''}`)
      .join(', '),
    where(dataset.name, builtIn.datasets),
  ])
  const viewRows = definitions.datasets.flatMap(({ name }) =>
    viewsOf(definitions, name).map((view) => [
      view.name,
      name,
      view.key.join(', '),
      `${view.bucketMs / 1000} s`,
      view.measures.join(', '),
      where(view.name, builtIn.views),
    ]),
  )
  io.out(textTable([['dataset', 'keys and source', 'gauges', 'defined in'], ...datasetRows]))
  io.out('\n')
  io.out(textTable([['view', 'dataset', 'key', 'bucket', 'measures', 'defined in'], ...viewRows]))
  return 0
}
