import { type Command, callOf, type Io } from '../command.ts'
import { agentCommand } from '../commands/agent.ts'
import { exitCodeOf, sentence } from '../failure.ts'
import { helpOf } from '../help.ts'
import { processIo } from '../host/process.ts'
import { parseCommandArgs } from '../parse.ts'
import { VERSION } from '../version.ts'

/**
 * The agent as a program of its own, for machines that are only monitored: the command `tidemark agent` under another
 * name, without what the other commands need.
 */
const command = agentCommand('tidemark-agent', [])

/** What entry.js calls: runs this process and exits with its code. */
export async function start(): Promise<void> {
  const io = processIo()
  await io.exit(await runAgentCli(process.argv.slice(2), io))
}

/** Runs one command line; resolves with the exit code: 0, 1 (failed) or 2 (wrong usage). */
export async function runAgentCli(argv: readonly string[], io: Io): Promise<number> {
  try {
    if (argv[0] === '--version') {
      io.out(`${VERSION}\n`)
      return 0
    }
    const { flags, operands } = parseCommandArgs(command, argv)
    if (flags.help !== undefined) {
      io.out(helpOf(command))
      return 0
    }
    return await command.run({ flags, operands }, io)
  } catch (error) {
    io.err(`${callOf(command satisfies Command)}: ${sentence(error)}\n`)
    return exitCodeOf(error)
  }
}
