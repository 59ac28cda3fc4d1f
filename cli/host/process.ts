import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Io } from '../command.ts'

/** A second signal within this time is the same one: a terminal and npm both pass Ctrl-C on. */
const SAME_SIGNAL_MS = 1_000

/** What starts this program again: Node and the script it was started with. */
export function ownProgram(): readonly [string, string] {
  return [process.execPath, process.argv[1]!]
}

/** What this process offers to a command. A second Ctrl-C, when the first takes too long, ends it at once. */
export function processIo(): Io {
  return {
    cwd: process.cwd(),
    env: process.env,
    readText,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    get stopped() {
      stopped ??= firstSignal()
      return stopped
    },
  }
}

let stopped: Promise<void> | undefined

function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null
    const onSignal = () => {
      if (firstMs === null) {
        firstMs = performance.now()
        resolve()
      } else if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(1)
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(resolve(path), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
