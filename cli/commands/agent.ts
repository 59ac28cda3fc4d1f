import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { startAgent } from '../../agent/agent.ts'
import { sampler } from '../../agent/sample.ts'
import { openSpool } from '../../agent/spool.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { isName } from '../../schemas/line.ts'
import { COLLECTOR_FLAG } from '../collector-flag.ts'
import { type Args, type Command, type Io, logLineTo } from '../command.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { REACH_FLAGS, reachOf } from '../reach.ts'
import { parseDuration } from '../values.ts'

export const agent: Command = {
  name: 'agent',
  summary: "Sample this host's CPU, RAM and disk and send them to a collector",
  flags: [
    COLLECTOR_FLAG,
    { name: 'service', value: 'NAME', about: 'Service that the samples belong to; required' },
    { name: 'host', value: 'NAME', about: "Name of this host (the machine's own)" },
    {
      name: 'spool',
      value: 'DIR',
      about: 'Folder that keeps samples until they are acknowledged (none: in memory)',
    },
    { name: 'interval', value: 'DURATION', about: 'Time between two samples (1s)' },
    ...REACH_FLAGS,
  ],
  settings: [],
  example: 'tidemark agent --collector 127.0.0.1:7070 --service checkout --interval 1s',
  run,
}

async function run({ flags }: Args, io: Io): Promise<number> {
  const { service } = flags
  if (service === undefined) throw new TidemarkError('E_USAGE', 'tidemark agent needs --service NAME')
  const hostName = flags.host ?? hostname()
  for (const [flag, name] of Object.entries({ service, host: hostName })) {
    if (!isName(name))
      throw new TidemarkError('E_USAGE', `--${flag} must be 1 to 128 characters without control characters`)
  }
  const intervalMs = parseDuration(flags.interval ?? '1s')
  if (intervalMs === null) throw new TidemarkError('E_USAGE', '--interval must be a duration like 1s')

  const clock = nodeClock()
  const logLine = logLineTo(io, () => clock.nowMs())
  const { address, ...reach } = await reachOf(flags, io, { disk: nodeDisk(), logLine })
  const random = nodeRandom()
  const { spool: dir } = flags
  const backlog =
    dir === undefined ? null : await openSpool({ dir: resolve(dir) }, { disk: nodeDisk(), random, logLine })
  const { sample } = await sampler(clock)
  const running = startAgent(
    { ...address, service, hostName, intervalMs },
    { ...reach, clock, random, sample, ...(backlog && { backlog }), logLine },
  )
  const where = backlog === null ? 'memory, a restart loses those not sent' : dir
  logLine(`agent: sampling ${hostName} for ${service}; samples wait in ${where}`)
  await io.stopped
  await running.close()
  return 0
}
