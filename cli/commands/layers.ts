import { SETTINGS, type SettingName } from '../../schemas/config.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { type Args, type Command, type Io, logLineTo } from '../command.ts'
import type { LayerName } from '../compose/layers/start.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import type { Settings } from '../settings/settings.ts'
import { VERSION } from '../version.ts'

const EXAMPLE = '--log-url kafka://127.0.0.1:9092/tidemark --lake-url /srv/tidemark/lake'
/** What bounds the journal, and a shared log cannot heed. */
const UNSEALED = 'collector.unsealed_max'
const SHARED = ['data', 'lake.', 'log.', 'health.listen']

export const collector = layerCommand('collector', {
  summary: 'Receive messages and append them to a log that other processes share',
  settings: [...SHARED, 'collector.', 'insecure', 'tokens.'],
})
export const lakeWriter = layerCommand('lake-writer', {
  summary: "Seal the shared log into the lake's tables, and trim it",
  settings: SHARED,
})
export const speed = layerCommand('speed', {
  summary: 'Fold the shared log into real-time cells',
  settings: [...SHARED, 'speed.', 'spark.'],
  flags: [
    {
      name: 'fold-stdin',
      value: 'PARTITION',
      about:
        'Fold the records of a partition that stand on standard input, and exit: what a job of Spark calls',
    },
  ],
})
export const serve = layerCommand('serve', {
  summary: 'Answer questions and serve the pages from the lake alone',
  settings: [...SHARED, 'serving.', 'speed.tick', 'insecure', 'tokens.'],
})

/** A command that runs one layer; `settings` are names, or beginnings of names that end with a dot. */
function layerCommand(
  name: Exclude<LayerName, 'batch'>,
  about: {
    readonly summary: string
    readonly settings: readonly string[]
    readonly flags?: Command['flags']
  },
): Command {
  const heeded = ({ name }: { name: string }) =>
    name !== UNSEALED &&
    about.settings.some((one) => (one.endsWith('.') ? name.startsWith(one) : name === one))
  return {
    name,
    summary: about.summary,
    flags: about.flags ?? [],
    settings: SETTINGS.filter(heeded).map((setting) => setting.name),
    example: `tidemark ${name} ${EXAMPLE}`,
    run: (args, io) =>
      args.flags['fold-stdin'] === undefined ? runLayerCommand(name, args, io) : foldStdin(args, io),
  }
}

/** Loaded only where it runs. */
async function foldStdin(args: Args, io: Io): Promise<number> {
  refuseLacking('speed', args.settings)
  return (await import('./fold-stdin.ts')).foldStdin(args, io)
}

/** Settings that a layer cannot do without, and what each names. */
const NEEDED = {
  'log.url': 'where the log is that all processes share, like kafka://127.0.0.1:9092/tidemark',
  'lake.url': 'where the lake is that all processes share, a directory or URL',
} as const

/** Throws `E_NEEDS_SETTING` for the first setting that a layer needs and does not have, `E_CONFIG` for one that would mean nothing. */
export function refuseLacking(name: LayerName, settings: Settings): void {
  const needed: SettingName[] = name === 'serve' ? ['lake.url'] : ['log.url', 'lake.url']
  const { source } = settings.get(UNSEALED)
  if (source !== 'default' && (name === 'collector' || name === 'lake-writer')) {
    const what = `${UNSEALED} (${source}) has no effect on a shared log: its brokers keep what is not in the lake yet; remove it`
    throw new TidemarkError('E_CONFIG', what, { field: UNSEALED })
  }
  for (const setting of needed as (keyof typeof NEEDED)[]) {
    if (settings.text(setting) !== '') continue
    throw new TidemarkError('E_NEEDS_SETTING', `tidemark ${name} needs ${setting}, ${NEEDED[setting]}`, {
      field: setting,
    })
  }
}

/** Runs a layer until the process is told to stop. */
export async function runLayerCommand(name: LayerName, { settings }: Args, io: Io): Promise<number> {
  refuseLacking(name, settings)
  const clock = nodeClock()
  const host = {
    disk: nodeDisk(),
    clock,
    random: nodeRandom(),
    logLine: logLineTo(io, () => clock.nowMs()),
  }
  // Loaded only where they run: other commands do without them.
  const { startLayer } = await import('../compose/layers/start.ts')
  const { runLayer } = await import('../compose/layers/run.ts')
  const { sharedLogOf } = await import('../compose/log.ts')
  const openLog = name === 'serve' && settings.text('log.url') === '' ? noLog : sharedLogOf(settings, host)
  return runLayer(
    {
      settings,
      start: (layerHost, closing) => startLayer(name, settings, openLog, layerHost, closing),
      started: ({ greeting }, health) => {
        const lines = [...greeting, ['health', health] as const]
        io.out(`Tidemark ${VERSION} ${name} is up; Ctrl-C stops it.\n`)
        for (const [what, where] of lines) io.out(`  ${what.padEnd(15)} ${where}\n`)
      },
      stopped: io.stopped,
    },
    host,
  )
}

/** A serving node has no log. */
async function noLog(): Promise<never> {
  throw new TidemarkError('E_NEEDS_SETTING', 'a serving node opens no log')
}
