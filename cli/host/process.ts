import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Io } from '../command.ts'
import { type Output, outputOf } from './output.ts'

/** A second signal within this time is the same one: a terminal and npm both pass Ctrl-C on. */
const SAME_SIGNAL_MS = 1_000
/** Characters of a log that wait for a reader that is slow. */
const LOG_WAITING_MAX = 1 << 20
/** How long the end waits for the reader of the log. */
const LOG_DRAIN_MS_MAX = 1_000
/** What ends a process in order: Ctrl-C, a supervisor, and the terminal or session that it was started from. */
const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What starts this program again: Node and the script it was started with. */
export function ownProgram(): readonly [string, string] {
  return [process.execPath, process.argv[1]!]
}

/** Lets others read the files that are made from now on: entry.js keeps them private. */
export function letOthersRead(): void {
  if (isMainThread) process.umask(0o022)
}

/** What a process offers to its command. */
export interface ProcessIo extends Io {
  /** Ends the process once its output is written: with `code`, or with 1 where a command's output could not be. */
  exit(code: number): Promise<never>
}

/**
 * What this process offers. A second Ctrl-C, when the first takes too long, ends it by `end`. A caller of
 * libraries that nothing can interrupt gives `endProcess`.
 */
export function processIo(end: (code: number) => never = process.exit): ProcessIo {
  const out = outputOf(process.stdout)
  const log = outputOf(process.stderr, LOG_WAITING_MAX)
  return {
    get cwd() {
      return workingFolder()
    },
    env: process.env,
    readText: (path) => readText(resolve(workingFolder(), path)),
    out: (text) => out.write(text),
    async take(text) {
      out.write(text)
      await out.drained()
      return out.isTaken()
    },
    err: (text) => log.write(text),
    isTerminal: process.stderr.isTTY === true,
    columns: process.stdout.isTTY === true ? process.stdout.columns : null,
    get stopped() {
      stopped ??= firstSignal(end)
      return stopped
    },
    exit: async (code) => end(await lastCode(code, out, log)),
  }
}

/** Throws `E_DISK` where it was removed: Node would fail with a trace. */
function workingFolder(): string {
  try {
    return process.cwd()
  } catch (error) {
    const cause = { cause: error }
    throw new TidemarkError('E_DISK', 'the working folder was removed; change to one that exists', cause)
  }
}

/** The code to end with, once all output is written. */
async function lastCode(code: number, out: Output, log: Output): Promise<number> {
  await out.drained()
  const failure = out.failure()
  // One that runs until it is stopped says nothing there that matters more than what it did.
  const isLost = failure !== null && code === 0 && stopped === undefined
  if (isLost) log.write(`tidemark: standard output cannot be written: ${failure.message}\n`)
  await Promise.race([log.drained(), wait(LOG_DRAIN_MS_MAX)])
  return isLost ? 1 : code
}

let stopped: Promise<void> | undefined

function firstSignal(end: (code: number) => never): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null
    const onSignal = () => {
      if (firstMs === null) {
        firstMs = performance.now()
        resolve()
      } else if (performance.now() - firstMs > SAME_SIGNAL_MS) end(1)
    }
    for (const signal of END_SIGNALS) process.on(signal, onSignal)
  })
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
