import { resolve } from 'node:path'
import { startAgent } from '../../agent/agent.ts'
import { hostGauges } from '../../agent/gauges/host-gauges.ts'
import { everyMultiple } from '../../agent/grid.ts'
import { openSpool } from '../../agent/spool/spool.ts'
import { host } from '../../schemas/datasets/host.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { toLine } from '../../schemas/message.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import { type Args, type Command, type Io, logLineTo } from '../command.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeMachine } from '../host/machine.ts'
import { freeNewest, giveMemoryBack } from '../host/memory.ts'
import { letOthersRead, ownProgram } from '../host/process.ts'
import { nodeRandom } from '../host/random.ts'
import { VERSION } from '../version.ts'
import { installUnit, UNIT_FILE } from './agent/install.ts'
import { type AgentOptions, agentOptions } from './agent/options.ts'
import { lockSpool } from './agent/spool-lock.ts'
import { COLLECTOR_FLAG } from './collector-flag.ts'
import { REACH_FLAGS, reachOf } from './reach.ts'

const FLAGS = [
  COLLECTOR_FLAG,
  { name: 'service', value: 'NAME', about: 'Service that the samples belong to; required' },
  { name: 'host', value: 'NAME', about: "Name of this host (the machine's own)" },
  {
    name: 'spool',
    value: 'DIR',
    about: 'Folder that keeps samples until they are acknowledged (none: in memory)',
  },
  { name: 'spool-max', value: 'SIZE', about: 'Most that the spool may hold; then the oldest go (256MiB)' },
  { name: 'interval', value: 'DURATION', about: 'Time between two samples (1s)' },
  {
    name: 'scope',
    value: 'SCOPE',
    about: 'Whose CPU and RAM: host, container, or auto: the container where it has limits (auto)',
  },
  ...REACH_FLAGS,
  { name: 'once', about: 'Print one message instead of sending any' },
  { name: 'unit', value: 'FILE', about: `With install: the unit to write (${UNIT_FILE})` },
  { name: 'print', about: 'With install: print the unit instead' },
  { name: 'force', about: 'With install: replace another unit of that name' },
]

/**
 * The agent as a command: `call` is how people type it, `words` what follows the script for it. `install` writes a unit
 * for systemd instead of running.
 */
export function agentCommand(call: string, words: readonly string[]) {
  return {
    name: 'agent',
    call,
    summary:
      "Sample this host's CPU, RAM and disk and send them to a collector; install: as a systemd service",
    operands: '[install]',
    flags: FLAGS,
    settings: [],
    example: `${call} --collector 127.0.0.1:7070 --service checkout --interval 1s`,
    async run({ flags, operands }: Pick<Args, 'flags' | 'operands'>, io: Io): Promise<number> {
      const disk = nodeDisk()
      const [operand, ...more] = operands
      if (operand === 'install' && more.length === 0) {
        const [node, script] = ownProgram()
        // systemd wants to.
        letOthersRead()
        await installUnit(flags, { call, node, words: [script, ...words] }, disk, io)
        return 0
      }
      if (operand !== undefined)
        throw new TidemarkError(
          'E_USAGE',
          `${call} takes nothing but install, not ${JSON.stringify(operand)}`,
        )
      for (const flag of ['unit', 'print', 'force']) {
        if (flags[flag] !== undefined)
          throw new TidemarkError('E_USAGE', `--${flag} goes with ${call} install`)
      }
      const options = agentOptions(flags, call)
      if (options.spoolBytesMax !== undefined && options.spoolDir === undefined)
        throw new TidemarkError('E_USAGE', '--spool-max goes with --spool DIR')
      const clock = nodeClock()
      if (flags.once !== undefined) io.out(`${await oneLine(options, clock, io)}\n`)
      else await runAgent(flags, options, clock, io)
      return 0
    },
  } satisfies Command
}

const FREE_EVERY_MS = 2_000
const GIVE_BACK_EVERY_MS = 60_000

/** Returns a message as it would be sent; its load is that of one interval. Throws `E_SAMPLE` when none would be. */
async function oneLine(options: AgentOptions, clock: Clock, io: Io): Promise<string> {
  const { service, hostName, intervalMs, scope } = options
  const logLine = logLineTo(io, () => clock.nowMs())
  const { sample } = await hostGauges(scope, { machine: nodeMachine(), clock, logLine })
  await sleep(clock, intervalMs)
  const gauges = await sample()
  const lacking = host.gauges.find((_, g) => Number.isNaN(gauges[g]))
  if (lacking !== undefined)
    throw new TidemarkError('E_SAMPLE', `${lacking.name} cannot be read, so nothing would be sent`)
  const message = { names: [service, hostName], timeMs: clock.nowMs(), gauges, agent: null, seq: null }
  return toLine(host, message)
}

async function runAgent(flags: Args['flags'], options: AgentOptions, clock: Clock, io: Io): Promise<void> {
  const { service, hostName, intervalMs, scope, spoolDir, spoolBytesMax: bytesMax } = options
  const logLine = logLineTo(io, () => clock.nowMs())
  const { address, ...reach } = await reachOf(flags, io, { disk: nodeDisk(), logLine })
  const random = nodeRandom()
  const backlog =
    spoolDir === undefined
      ? null
      : await openSpool(
          { dir: resolve(io.cwd, spoolDir), dataset: host, ...(bytesMax !== undefined && { bytesMax }) },
          { disk: nodeDisk(lockSpool), random, logLine },
        )
  const gauges = await hostGauges(scope, { machine: nodeMachine(), clock, logLine })
  const running = startAgent(
    { ...address, service, hostName, intervalMs, about: { scope: gauges.scope, version: VERSION } },
    { ...reach, clock, random, sample: gauges.sample, ...(backlog && { backlog }), logLine },
  )
  const where = backlog === null ? 'memory, a restart loses those not sent' : spoolDir
  logLine(`agent: sampling ${hostName} (${gauges.scope}) for ${service}; samples wait in ${where}`)
  // What starting needed is not needed again.
  giveMemoryBack()
  const stopFreeing = everyMultiple(clock, FREE_EVERY_MS, async () => freeNewest())
  const stopGivingBack = everyMultiple(clock, GIVE_BACK_EVERY_MS, async () => giveMemoryBack())
  await io.stopped
  stopFreeing()
  stopGivingBack()
  await running.close()
}
