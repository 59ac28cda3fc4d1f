import { type Agent, startAgent } from '../../agent/agent.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import { type Args, type Command, type Io, logLineTo } from '../command.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { parseInteger } from '../settings/values.ts'
import { VERSION } from '../version.ts'
import { COLLECTOR_FLAG } from './collector-flag.ts'
import { REACH_FLAGS, reachOf } from './reach.ts'

export const fleet: Command = {
  name: 'fleet',
  summary: 'A simulated fleet, for trying out and for load',
  flags: [
    COLLECTOR_FLAG,
    { name: 'services', value: 'N', about: 'Number of services (4)' },
    { name: 'hosts', value: 'N', about: 'Hosts of each service (3)' },
    { name: 'rate', value: 'N', about: 'Messages a second of the whole fleet (one a host)' },
    ...REACH_FLAGS,
  ],
  settings: [],
  example: 'tidemark fleet --services 4 --hosts 10 --rate 40',
  run,
}

const NAMES = ['checkout', 'search', 'payments', 'catalogue', 'accounts', 'mail', 'images', 'reports']
/** Each host is an agent with a connection of its own. */
const HOSTS_MAX = 5_000

async function run({ flags }: Args, io: Io): Promise<number> {
  const services = whole('services', flags.services ?? '4')
  const hosts = whole('hosts', flags.hosts ?? '3')
  if (services * hosts > HOSTS_MAX)
    throw new TidemarkError('E_USAGE', `a fleet has at most ${HOSTS_MAX} hosts, not ${services * hosts}`)
  const rate = whole('rate', flags.rate ?? String(services * hosts))
  const intervalMs = Math.max(1, Math.round((services * hosts * 1000) / rate))

  const clock = nodeClock()
  const random = nodeRandom()
  const logLine = logLineTo(io, () => clock.nowMs())
  const { address, ...reach } = await reachOf(flags, io, { disk: nodeDisk(), logLine })
  const agents: Agent[] = []
  for (let s = 0; s < services; s++) {
    const service = NAMES[s] ?? `service-${s + 1}`
    for (let h = 0; h < hosts; h++) {
      const hostName = `${service}-${h + 1}`
      const walk = gaugeWalk(random)
      const config = { ...address, service, hostName, intervalMs, about: { version: VERSION } }
      agents.push(startAgent(config, { ...reach, clock, random, sample: async () => walk(), logLine }))
    }
  }
  io.out(
    `${agents.length} hosts of ${services} services send ${rate} messages a second; Ctrl-C stops them.\n`,
  )
  await io.stopped
  await Promise.all(agents.map((one) => one.close()))
  const acked = agents.reduce((sum, one) => sum + one.status().acked, 0)
  io.out(`${acked} messages were acknowledged.\n`)
  return 0
}

function whole(flag: string, text: string): number {
  const value = parseInteger(text)
  if (value === null)
    throw new TidemarkError('E_USAGE', `--${flag} must be a whole number above 0, not ${text}`)
  return value
}

/** CPU, RAM and disk of a host that wander between 0 and 100 percent, the disk slowly. */
function gaugeWalk(random: Random): () => number[] {
  const steps = [6, 1.5, 0.02]
  const values = [20 + 40 * random.float(), 30 + 40 * random.float(), 20 + 60 * random.float()]
  return () => {
    steps.forEach((step, g) => {
      const moved = values[g]! + (random.float() - 0.5) * 2 * step
      values[g] = Math.min(100, Math.max(0, moved))
    })
    return values.map((value) => Math.round(value * 10) / 10)
  }
}
