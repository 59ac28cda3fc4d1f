import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { environment } from '../../test/heavy/up.ts'

export interface Taken {
  readonly wallMs: number
  /** Of the process and of all that it started and waited for. */
  readonly cpuSeconds: number
}

/** Bash counts what a command and its descendants took. */
const TIMED = 'TIMEFORMAT="%U %S"; time "$@"'

/** Runs a program to its end. `out` is a file descriptor that takes its standard output. Throws what it said when it fails. */
export async function take(program: string, args: readonly string[], out?: number): Promise<Taken> {
  const beforeMs = performance.now()
  const child = spawn('bash', ['-c', TIMED, 'bash', program, ...args], {
    env: environment(),
    stdio: ['ignore', out ?? 'pipe', 'pipe'],
  })
  let said = ''
  let errors = ''
  child.stdout?.on('data', (bytes) => (said += bytes))
  child.stderr!.on('data', (bytes) => (errors = (errors + bytes).slice(-10_000)))
  const end = await new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)))
  if (end !== 0) throw new Error(`${program} ended with ${end}: ${said}${errors}`)
  const [user, system] = errors.trim().split('\n').at(-1)!.split(' ').map(Number)
  return { wallMs: performance.now() - beforeMs, cpuSeconds: user! + system! }
}

const TICKS_PER_SECOND = 100

/** CPU of a process and of its children that have ended, in seconds; Linux counts it in ticks. */
export async function cpuWithChildren(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ').at(-1)!.split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND
}
