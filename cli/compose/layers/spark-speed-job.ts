import { fileURLToPath } from 'node:url'
import type { ViewTables } from '../../../lake/tables/deployment.ts'
import { ticksOf } from '../../../lake/tables/ticks.ts'
import { RECORD_HEADER } from '../../../log/kafka/client.ts'
import type { LogReader } from '../../../log/port.ts'
import { SETTINGS, variableOf } from '../../../schemas/config.ts'
import type { Folded } from '../../../speed/fold-given.ts'
import { targets } from '../../../speed/targets.ts'
import type { Settings } from '../../settings/settings.ts'
import { configuredLog } from '../log.ts'
import { brokerOptions } from './spark-kafka.ts'

/** What is submitted to Spark for the speed layer, and what it says (speed/spark/job.py). */

const JOB = fileURLToPath(new URL('../../../speed/spark/job.py', import.meta.url))
const ENTRY = fileURLToPath(new URL('../../entry.js', import.meta.url))

/** First offset of each partition that the lake's ticks do not hold. */
export type Starting = ReadonlyMap<number, number>

/** Where the job begins, by what is in the lake now: a chain that must begin before that reads the rest by itself. */
export async function startingOffsets(views: readonly ViewTables[], log: LogReader): Promise<Starting> {
  const starting = new Map<number, number>()
  for (const { view, published, ticks } of views) {
    const version = await published.snapshot()
    const known = ticksOf(await ticks.snapshot())
    for (const partition of log.partitions()) {
      const start = log.start(partition)
      const ends = targets(view, version, known, partition, start).map(
        ({ from }) => Math.max(from, start) + 1,
      )
      starting.set(partition, Math.min(...ends, starting.get(partition) ?? Number.POSITIVE_INFINITY))
    }
  }
  return starting
}

export interface SparkJob {
  readonly args: readonly string[]
  readonly env: { readonly [name: string]: string }
}

/** The job that folds the topic from `starting` on; its checkpoint lies in `dir`, and is not needed when it is gone. */
export function speedJob(settings: Settings, dir: string, starting: Starting): SparkJob {
  const { brokers, topic } = configuredLog(settings)
  const job = {
    kafka: {
      'kafka.bootstrap.servers': brokers.join(','),
      subscribe: topic,
      startingOffsets: JSON.stringify({ [topic]: Object.fromEntries(starting) }),
      ...brokerOptions(settings),
    },
    header: RECORD_HEADER,
    tickMs: settings.durationMs('speed.tick'),
    checkpoint: `file://${dir}/checkpoint`,
    process: process.pid,
    command: [process.execPath, ENTRY, 'speed'],
    env: environmentOf(settings),
  }
  const jars = settings.text('spark.jars')
  const conf = { 'spark.submit.deployMode': 'client', 'spark.ui.enabled': 'false' }
  return {
    args: [
      ...['--master', settings.text('spark.master'), '--name', 'tidemark speed'],
      ...(jars === '' ? [] : ['--jars', jars]),
      ...Object.entries(conf).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
      JOB,
    ],
    env: { TIDEMARK_SPEED_JOB: JSON.stringify(job) },
  }
}

/** The settings of log and lake as another process takes them, and what this one knows of a bucket from its surroundings. */
function environmentOf(settings: Settings): Record<string, string> {
  const names = SETTINGS.map(({ name }) => name).filter((name) => /^(log|lake|speed)\./.test(name))
  const own = names
    .map((name) => ({ name, ...settings.get(name) }))
    .filter(({ source }) => source !== 'default')
    .map(({ name, value }) => [variableOf(name), value])
  const outside = Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'))
  const ca = settings.file('log.ca')
  return {
    ...Object.fromEntries([...outside, ...own]),
    TIDEMARK_LAKE_URL: settings.lakeDir(),
    ...(ca !== null && { TIDEMARK_LOG_CA: ca }),
  }
}

/** What the job says in a line: what its last batch folded, nothing when it has just begun, or why the batch failed. */
export type Told = { readonly folded: readonly Folded[] } | { readonly failed: string }

/** Null for a line of somebody else. */
export function parseTold(line: string): Told | null {
  if (!line.startsWith('{')) return null
  try {
    const told = JSON.parse(line)
    if (told.started === true) return { folded: [] }
    if (typeof told.failed === 'string') return { failed: told.failed }
    return Array.isArray(told.folded) ? { folded: told.folded } : null
  } catch {
    return null
  }
}
