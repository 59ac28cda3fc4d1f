import { hostname } from 'node:os'
import { join } from 'node:path'
import { startAgent } from '../../agent/agent.ts'
import { sampler } from '../../agent/sample.ts'
import { readRuns } from '../../batch/records.ts'
import { type Collector, startCollector } from '../../collector/collector.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Net } from '../../schemas/ports/net.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startAnswers } from '../../serving/answer.ts'
import { startHttp } from '../../serving/http/server.ts'
import { startSpeed } from '../../speed/speed.ts'
import { removeAddresses, writeAddresses } from '../addresses.ts'
import { Closing } from '../closing.ts'
import { ALL_SETTINGS, type Args, type Command, type Io, logLineTo } from '../command.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeNet } from '../host/net.ts'
import { nodeRandom } from '../host/random.ts'
import type { Settings } from '../settings.ts'
import { type Host, openStoreRoom, type StoreRoom } from '../store-room.ts'
import { formatAddress } from '../values.ts'
import { VERSION } from '../version.ts'

export const up: Command = {
  name: 'up',
  summary: 'Run everything in one process: collector, lake, batch, speed, pages and an agent',
  flags: [],
  settings: ALL_SETTINGS,
  example: 'tidemark up --data ./data --serving-listen 127.0.0.1:8080',
  run,
}

/** A stop that takes longer is cut off; everything acknowledged is durable already. */
const STOP_MS_MAX = 5_000

async function run({ settings }: Args, io: Io): Promise<number> {
  const clock = nodeClock()
  const logLine = logLineTo(io, () => clock.nowMs())
  const closing = new Closing(logLine)
  const stopped = io.stopped
  try {
    const ready = startAll(settings, { disk: nodeDisk(), clock, random: nodeRandom(), logLine }, closing)
    // Asked to stop while starting: what is not started yet is closed as soon as it is.
    const addresses = await Promise.race([ready, stopped])
    if (addresses) {
      io.out(greeting(addresses))
      await stopped
    } else await Promise.race([ready.catch(() => {}), after(clock, STOP_MS_MAX / 2)])
  } catch (error) {
    await stop(closing, clock)
    throw error
  }
  return (await stop(closing, clock)) ? 0 : 1
}

interface UpAddresses {
  readonly serving: string
  readonly collector: string
  readonly data: string
}

function greeting({ serving, collector, data }: UpAddresses): string {
  return [
    `Tidemark ${VERSION} is up; Ctrl-C stops it.`,
    `  pages and API   ${serving}`,
    `  agents connect  ${collector}`,
    `  data            ${data}`,
    '',
  ].join('\n')
}

/** Starts the layers, each after those it needs. */
async function startAll(settings: Settings, host: Host, closing: Closing): Promise<UpAddresses> {
  const view = serviceMinute
  const { disk, clock, random, logLine } = host
  const data = settings.dataDir()
  const tickMs = settings.durationMs('speed.tick')
  const retentionMs = settings.durationMs('lake.retention')
  const engine = settings.text('batch.engine')
  const room = await openStoreRoom({ settings, view, command: 'up', engine, scheduled: true }, host, closing)
  await removeAddresses(disk, data)

  const { journal, tables, wake } = room
  const speed = await startSpeed(
    { view, tickMs, retentionMs },
    { log: journal, ticks: tables.ticks, viewTable: tables.view, clock, wake, logLine },
  )
  closing.add('speed', () => speed.close())

  const answers = await startAnswers(
    { view, tickMs, indexPath: join(data, 'index.db') },
    { ...tables, openCells: speed, clock, wake, logLine },
  )
  closing.add('serving', () => answers.close())

  const net = nodeNet()
  const collector = await startCollector(
    {
      ...settings.address('collector.listen'),
      blockMessages: settings.integer('collector.block_messages'),
      lingerMs: settings.durationMs('collector.linger'),
      oldestMs: settings.dateMs('collector.oldest'),
      connectionsMax: settings.integer('collector.connections_max'),
      idleMs: settings.durationMs('collector.idle'),
    },
    { log: journal, net, clock, disk, rejectsDir: join(data, 'rejects'), logLine },
  )
  closing.add('collector', () => collector.close())
}
