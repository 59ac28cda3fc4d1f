import type { Backlog, Queued } from '../../agent/backlog.ts'
import { openSpool } from '../../agent/spool/spool.ts'
import { host } from '../../schemas/datasets/host.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'

export const DIR = '/spool'
/** So small that a dozen samples fill a file. */
export const BYTES_MAX = 8_000

/** Opens spools of small samples, and has the lines of their log. */
export function spoolRig() {
  const random = simRandom(1)
  const lines: string[] = []
  const open = (disk: Disk, bytesMax = 1 << 20): Promise<Backlog> =>
    openSpool(
      { dir: DIR, dataset: host, bytesMax },
      { disk, random, logLine: (line) => void lines.push(line) },
    )

  /** A spool with so many samples more. */
  async function pushed(disk: Disk, count: number, bytesMax?: number): Promise<Backlog> {
    const spool = await open(disk, bytesMax)
    for (let n = spool.highestSeq + 1, end = n + count; n < end; n++) await spool.push(sample(n))
    return spool
  }

  return { lines, open, pushed }
}

export const sample = (n: number) => ({ names: ['übung', 'web-1'], timeMs: n, gauges: [n, n / 3, 0] })

/** Everything that waits, read as an agent does. */
export async function all(spool: Backlog, from = 0): Promise<Queued[]> {
  const found: Queued[] = []
  for (let seq = from; ; seq = found.at(-1)!.seq) {
    const some = await spool.after(seq, 7)
    if (some.length === 0) return found
    found.push(...some)
  }
}

export const spoolFiles = (disk: SimDisk) => disk.paths().filter((path) => path.endsWith('.spool'))

/** From now on every call of that kind fails. */
export function refuse(disk: SimDisk, call: string, code: 'E_DISK' | 'E_DISK_FULL' = 'E_DISK'): void {
  disk.fault = (what) => {
    if (what === call) throw new TidemarkError(code, `no ${call}`)
  }
}

export const seqs = async (spool: Backlog) => (await all(spool)).map(({ seq }) => seq)
export const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
