import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { environment, runCommand } from '../../test/heavy/up.ts'
import { usageOf } from '../process.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const LOOK_MS = 20

/** One `tidemark batch --once`. */
export interface BatchRun {
  /** From its start to its publish, all views, as the runs' records say. */
  readonly runMs: number
  /** From the start of the process to its end. */
  readonly commandMs: number
  readonly peakMib: number
  readonly rows: number
}

/** Throws when the run does not publish. */
export async function runBatch(data: string, { full }: { readonly full: boolean }): Promise<BatchRun> {
  const beforeMs = performance.now()
  const args = [ENTRY, 'batch', '--once', '--data', data, ...(full ? ['--full'] : [])]
  const child = spawn(process.execPath, args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (printed += bytes))
  let peakMib = 0
  const look = () =>
    void usageOf(child.pid!).then((usage) => {
      // Nothing is said of a process that has ended.
      if (usage.peakMib > peakMib) peakMib = usage.peakMib
    })
  const timer = setInterval(look, LOOK_MS)
  const end = await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  clearInterval(timer)
  const commandMs = performance.now() - beforeMs
  if (end !== 0) throw new Error(`tidemark batch ended with ${end}: ${printed}`)
  return { commandMs, peakMib, ...(await newestRun(data)) }
}

/** Of `tidemark runs --json`: one a view, newest first. */
interface RunRecord {
  readonly run: string
  readonly result: string
  readonly started: string
  readonly ended: string
  readonly rows: number
}

/** Throws unless the newest run has published. */
export async function newestRun(data: string): Promise<Pick<BatchRun, 'runMs' | 'rows'>> {
  const { out } = await runCommand(['runs', '--json', '--data', data])
  const records = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunRecord)
  const ofRun = records.filter(({ run }) => run === records[0]!.run)
  if (!ofRun.every(({ result }) => result === 'published')) throw new Error(`the run did not publish: ${out}`)
  return {
    runMs:
      Math.max(...ofRun.map(({ ended }) => Date.parse(ended))) -
      Math.min(...ofRun.map(({ started }) => Date.parse(started))),
    rows: ofRun.reduce((sum, { rows }) => sum + rows, 0),
  }
}
