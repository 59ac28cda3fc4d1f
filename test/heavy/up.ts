import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** The script that starts `tidemark`. */
export const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))

/** A `tidemark` process of a test. */
export interface Running {
  readonly child: ChildProcess
  readonly collector: { readonly host: string; readonly port: number }
  readonly serving: string
  /** Everything it printed so far. */
  output(): string
  /** Sends a signal and waits for the end; resolves with the exit code, null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** With what else Node is started: arguments of its own, and variables. */
interface Started {
  readonly node?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Starts `tidemark up` on a data directory with free ports. */
export function spawnUp(data: string, args: readonly string[] = [], { node = [], env }: Started = {}) {
  const free = ['--collector-listen', '127.0.0.1:0', '--serving-listen', '127.0.0.1:0']
  const child = spawn(process.execPath, [...node, ENTRY, 'up', '--data', data, ...free, ...args], {
    env: { ...environment(), ...env },
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      printed += bytes
    })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, ended, output: () => printed }
}

/** Starts `tidemark up` on a data directory with free ports, and waits until it is ready. */
export async function startUp(
  data: string,
  args: readonly string[] = [],
  started: Started = {},
): Promise<Running> {
  const { child, ended, output } = spawnUp(data, args, started)
  let gone = false
  void ended.then(() => {
    gone = true
  })
  // The greeting comes after the addresses are written, those of an older process are removed before.
  while (!output().includes('agents connect')) {
    if (gone) throw new Error(`tidemark up ended: ${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const addresses = JSON.parse(await readFile(`${data}/addresses.json`, 'utf8'))
  const [host, port] = addresses.collector.split(':')
  return {
    child,
    collector: { host, port: Number(port) },
    serving: addresses.serving,
    output,
    end(signal) {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs a command to its end, or sends it a signal after so many milliseconds, or kills it when it is told to. */
export function runCommand(
  args: readonly string[],
  killMs = 0,
  killed?: AbortSignal,
  killSignal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL',
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    env: environment(),
    killSignal,
    timeout: killMs,
  })
  killed?.addEventListener('abort', () => child.kill(killSignal))
  let out = ''
  let err = ''
  child.stdout.on('data', (bytes) => {
    out += bytes
  })
  child.stderr.on('data', (bytes) => {
    err += bytes
  })
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, out, err })))
}

/** The environment without settings that would change what a test starts. */
export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEMARK_')))
}
