import { nameColumns } from '../../schemas/dataset.ts'
import { viewsOf } from '../../schemas/definitions.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS, logLineTo } from '../command.ts'
import { redefine } from '../compose/deployment.ts'
import { textTable } from '../help.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import type { Settings } from '../settings/settings.ts'
import { refuseLacking } from './layers.ts'

export const datasets: Command = {
  name: 'datasets',
  summary: 'The datasets and views, and where each is defined',
  flags: [
    { name: 'json', about: 'As JSON' },
    { name: 'publish', about: 'Make those configured here the ones of every process on lake.url' },
  ],
  settings: ['data', ...LAKE_SETTINGS, 'log.url', 'log.partitions'],
  example: 'tidemark datasets',
  run,
}

async function run({ flags, settings }: Args, io: Io): Promise<number> {
  const builtIn = await builtInDefinitions()
  const definitions = settings.definitions(builtIn)
  if (flags.publish !== undefined) return publish(settings, io)
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

/** Writes the definitions into the lake; processes that run already end, so that their next start takes them. */
async function publish(settings: Settings, io: Io): Promise<number> {
  refuseLacking('lake-writer', settings)
  const { lakeOf, wantedBy } = await import('../compose/layers/start.ts')
  const clock = nodeClock()
  const host = { disk: nodeDisk(), clock, random: nodeRandom(), logLine: logLineTo(io, () => clock.nowMs()) }
  const { store } = await lakeOf(settings, host)
  const { number } = await redefine(await wantedBy(settings), { store, ...host })
  io.out(`the definitions are number ${number} of the deployment\n`)
  return 0
}
