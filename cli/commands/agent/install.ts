import { basename, resolve } from 'node:path'
import { isError, TidemarkError } from '../../../schemas/errors.ts'
import type { Disk } from '../../../schemas/ports/disk.ts'
import { TOKEN_VARIABLE } from '../../access/token-variable.ts'
import type { Args, Io } from '../../command.ts'
import { replaceFile } from '../../host/replace-file.ts'
import { AGENT_ENVIRONMENT, AGENT_FLAGS, flagsFor } from '../../node-flags.ts'
import { formatAddress } from '../../settings/values.ts'
import { closedToOthers, hiddenFromUnit } from './hidden.ts'
import { agentOptions } from './options.ts'
import { secretsFile, stateDir, unitText } from './unit.ts'

export const UNIT_FILE = '/etc/systemd/system/tidemark-agent.service'

/** Flags that go into the unit as they are. Secrets are none of them: command lines are public. */
const BAKED = ['service', 'host', 'interval', 'scope', 'spool-max', 'tls']
/** Flags that `install` itself heeds, or that it fills in. */
const HEEDED = ['collector', 'ca', 'unit', 'print', 'force', 'help']

/** How this program is started. */
export interface Program {
  /** As a person types it: `tidemark agent`. */
  readonly call: string
  readonly node: string
  /** The script, and what follows it: `agent`. */
  readonly words: readonly string[]
}

/** Writes the unit that runs the agent with these flags, or prints it. Throws `E_USAGE`, `E_CERTIFICATE`, `E_DISK`. */
export async function installUnit(flags: Args['flags'], program: Program, disk: Disk, io: Io): Promise<void> {
  const options = agentOptions(flags, `${program.call} install`)
  refuseUnfit(flags)
  const path = resolve(io.cwd, flags.unit ?? UNIT_FILE)
  const name = unitName(path)
  const ca = flags.ca && resolve(io.cwd, flags.ca)
  if (ca) await readableCa(disk, ca)
  const text = unitText({
    name,
    writtenBy: `${program.call} install`,
    program: program.node,
    variables: AGENT_ENVIRONMENT,
    args: [
      ...flagsFor(process.version, AGENT_FLAGS),
      ...program.words,
      `--collector=${formatAddress(options.address)}`,
      ...BAKED.flatMap((flag) => bakedFlag(flag, flags[flag])),
      ...bakedFlag('ca', ca),
      `--spool=${stateDir(name)}`,
    ],
  })
  const hidden = hiddenProgram(program)
  if (flags.print !== undefined) {
    io.out(text)
    if (hidden !== null) io.err(`${program.call}: ${hidden}\n`)
    return
  }
  if (hidden !== null) throw new TidemarkError('E_USAGE', hidden)
  await write(disk, path, text, flags.force !== undefined)
  io.out(
    [
      `${path} runs the agent. Start it, now and at each boot:`,
      '',
      '    systemctl daemon-reload',
      `    systemctl enable --now ${name}`,
      '',
      `Its log: journalctl -u ${name}. Its spool: ${stateDir(name)}. Secrets: ${secretsFile(name)}, root only.`,
      '',
    ].join('\n'),
  )
}

/** A flag as it stands in the unit; none where it was not given. */
function bakedFlag(flag: string, value: string | undefined): string[] {
  if (value === undefined) return []
  return [flag === 'tls' ? '--tls' : `--${flag}=${value}`]
}

function refuseUnfit(flags: Args['flags']): void {
  const refuse = (why: string) => {
    throw new TidemarkError('E_USAGE', why)
  }
  if (flags.spool !== undefined)
    refuse(
      '--spool does not go with install: the spool lies in the state folder that systemd makes for the unit',
    )
  if (flags['token-file'] !== undefined)
    refuse(
      `--token-file does not go with install: put ${TOKEN_VARIABLE}=... into the file of secrets that it names`,
    )
  if (flags.once !== undefined) refuse('--once does not go with install')
  const other = Object.keys(flags).find((flag) => ![...BAKED, ...HEEDED].includes(flag))
  if (other !== undefined) refuse(`--${other} does not go into a unit`)
}

function unitName(path: string): string {
  const name = /^([A-Za-z0-9][\w.-]{0,100})\.service$/.exec(basename(path))?.[1]
  if (name === undefined)
    throw new TidemarkError('E_USAGE', '--unit must name a file like tidemark-agent.service')
  return name
}

/** Null when the service can read the program, otherwise what to do, in words. */
function hiddenProgram({ node, words }: Program): string | null {
  for (const path of [node, words[0]!]) {
    const hidden = hiddenFromUnit(path)
    if (hidden !== null)
      return `the service may not read ${hidden}; install Node and this program for all users, as npm install -g does`
  }
  return null
}

/** A CA that the service could not read would be found out at its first start, by nobody. Throws `E_USAGE`, `E_CERTIFICATE`. */
async function readableCa(disk: Disk, path: string): Promise<void> {
  const refuse = (what: string) => {
    throw new TidemarkError(
      'E_USAGE',
      `--ca: the service may not read ${what}; put it into /etc, with mode 644`,
    )
  }
  const hidden = hiddenFromUnit(path)
  if (hidden !== null) refuse(hidden)
  const { readCa } = await import('../../access/certificate.ts')
  await readCa(disk, path)
  const closed = closedToOthers(path)
  if (closed === path) refuse(path)
  else if (closed !== null) refuse(`${path}, because of ${closed}`)
}

async function write(disk: Disk, path: string, text: string, force: boolean): Promise<void> {
  const bytes = new TextEncoder().encode(text)
  try {
    const before = await disk.readFile(path)
    if (before !== null && Buffer.compare(before, bytes) === 0) return
    if (before !== null && !force)
      throw new TidemarkError('E_USAGE', `${path} exists and is not the same; --force replaces it`)
    await replaceFile(disk, path, text)
  } catch (error) {
    throw isError(error, 'E_DISK') ? explained(path, error) : error
  }
}

/** What a person can do about it. */
function explained(path: string, error: TidemarkError): TidemarkError {
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException
  const say = (what: string) => new TidemarkError('E_DISK', `cannot write ${path}: ${what}`, { cause: error })
  if (code === 'EACCES' || code === 'EPERM') return say('it takes root, so run this with sudo')
  if (code === 'ENOENT') return say('its folder does not exist; is this a system with systemd?')
  return error
}
