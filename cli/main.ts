import { describeError, TidemarkError } from '../schemas/errors.ts'
import { hideUser } from '../schemas/user-in-url.ts'
import type { Command, Io } from './command.ts'
import { agentCommand } from './commands/agent.ts'
import { backup } from './commands/backup.ts'
import { batch } from './commands/batch.ts'
import { config } from './commands/config.ts'
import { correctCommand } from './commands/correct.ts'
import { datasets } from './commands/datasets.ts'
import { erase } from './commands/erase.ts'
import { exportCommand } from './commands/export.ts'
import { fleet } from './commands/fleet.ts'
import { importCommand } from './commands/import.ts'
import { lake } from './commands/lake.ts'
import { collector, lakeWriter, serve, speed } from './commands/layers.ts'
import { query } from './commands/query.ts'
import { restoreCommand } from './commands/restore.ts'
import { runs } from './commands/runs.ts'
import { status } from './commands/status.ts'
import { token } from './commands/token.ts'
import { up } from './commands/up.ts'
import { findData } from './compose/find-data.ts'
import { exitCodeOf, sentence } from './failure.ts'
import { helpOf, overview } from './help.ts'
import { endProcess } from './host/end.ts'
import { processIo } from './host/process.ts'
import { parseCommandArgs } from './parse.ts'
import { suggestion } from './settings/nearest.ts'
import { CONFIG_FILE, resolveSettings, type Sources } from './settings/settings.ts'
import { VERSION } from './version.ts'

const agent = agentCommand('tidemark agent', ['agent'])

export const COMMANDS: readonly Command[] = [
  up,
  agent,
  collector,
  lakeWriter,
  speed,
  batch,
  serve,
  runs,
  importCommand,
  exportCommand,
  erase,
  correctCommand,
  lake,
  query,
  backup,
  restoreCommand,
  datasets,
  fleet,
  token,
  status,
  config,
]

/** What entry.js calls: runs the command of this process and exits with its code. */
export async function start(): Promise<void> {
  // An agent calls no library that cannot be interrupted, and its service needs no shell.
  const io = processIo(process.argv[2] === agent.name ? undefined : endProcess)
  await io.exit(await runCli(process.argv.slice(2), io))
}

/** Runs one command line; resolves with the exit code: 0, 1 (failed) or 2 (wrong usage). */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv
  try {
    if (name === '--help' || name === '-h' || name === 'help') {
      io.out(overview(COMMANDS))
      return 0
    }
    if (name === '--version') {
      io.out(`${VERSION}\n`)
      return 0
    }
    const command = commandNamed(name)
    const { flags, operands } = parseCommandArgs(command, rest)
    if (flags.help !== undefined) {
      io.out(helpOf(command))
      return 0
    }
    const file = command.settings.length === 0 ? null : await readConfigFile(flags.config, io)
    const settings = resolveSettings({ flags, env: io.env, file, cwd: io.cwd })
    if (command.needsData) await findData(settings)
    return await command.run({ flags, operands, settings }, io)
  } catch (error) {
    io.err(`tidemark: ${sentence(error)}\n`)
    return exitCodeOf(error)
  }
}

function commandNamed(name: string | undefined): Command {
  if (name === undefined) throw new TidemarkError('E_USAGE', 'name a command, like `tidemark up`')
  const command = COMMANDS.find((one) => one.name === name)
  if (command !== undefined) return command
  const near = suggestion(
    name,
    COMMANDS.map((one) => one.name),
  )
  throw new TidemarkError('E_USAGE', `there is no command ${hideUser(name)}${near}`)
}

/** The file named by `--config`, which must exist, or tidemark.toml of this folder, which may. */
async function readConfigFile(named: string | undefined, io: Io): Promise<Sources['file']> {
  const name = named ?? CONFIG_FILE
  const text = await io.readText(name).catch((error: unknown) => {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError('E_CONFIG', `${name} cannot be read: ${describeError(error)}`, { cause: error })
  })
  if (text !== null) return { name, text }
  if (named === undefined) return null
  throw new TidemarkError('E_CONFIG', `there is no file ${named} (--config)`)
}
