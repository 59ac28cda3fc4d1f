import { readFile } from 'node:fs/promises'

/** What a process holds and has used, as Linux tells. */
export interface Footprint {
  readonly rssBytes: number
  /** Memory that nobody else shares: what would be free if it ended. */
  readonly privateBytes: number
  /** CPU time since its start, with that of its children that have ended. */
  readonly cpuMs: number
}

/** The kernel counts CPU time in hundredths of a second on every platform that Node runs on. */
const TICK_MS = 10

export async function footprint(pid: number): Promise<Footprint> {
  const [status, smaps, stat] = await Promise.all(
    ['status', 'smaps_rollup', 'stat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
  )
  // The name in parentheses may hold anything; behind it come the state and then numbers.
  const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return {
    rssBytes: kilobytes(status!, 'VmRSS'),
    privateBytes: kilobytes(smaps!, 'Private_Clean') + kilobytes(smaps!, 'Private_Dirty'),
    cpuMs: ticks * TICK_MS,
  }
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)![1]) * 1_024
}
