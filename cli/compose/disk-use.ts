import { join } from 'node:path'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'

/** Files are not counted again before so many times as long as it took, and never more often than this. */
const REST_FACTOR = 50
const REST_MS_MIN = 10_000

/** Bytes of the data directory, by what lies there, and what is left of its disk. */
export interface DiskUse {
  readonly journal_bytes: number
  readonly lake_bytes: number
  readonly index_bytes: number
  readonly rejects_bytes: number
  readonly other_bytes: number
  readonly free_bytes: number
  readonly disk_bytes: number
}

export interface DiskUseDeps {
  readonly disk: Pick<Disk, 'list' | 'stat'>
  readonly clock: Clock
  /** The file system of a folder, in bytes. */
  room(dir: string): Promise<{ readonly free: number; readonly size: number }>
}

/** Returns what counts the files of a data directory when asked, seldom; null until it has, and where it cannot. */
export function diskUse(dataDir: string, { disk, clock, room }: DiskUseDeps): () => DiskUse | null {
  let known: DiskUse | null = null
  let counting = false
  let nextMs = 0

  async function bytesOf(path: string): Promise<number> {
    const found = await disk.stat(path)
    if (found === null || !found.isFolder) return found?.size ?? 0
    let bytes = 0
    for (const name of await disk.list(path)) bytes += await bytesOf(join(path, name))
    return bytes
  }

  async function countAll(): Promise<DiskUse> {
    const use = { journal_bytes: 0, lake_bytes: 0, index_bytes: 0, rejects_bytes: 0, other_bytes: 0 }
    for (const name of await disk.list(dataDir)) {
      const part = name.startsWith('index.db') ? 'index_bytes' : `${name}_bytes`
      use[part in use ? (part as keyof typeof use) : 'other_bytes'] += await bytesOf(join(dataDir, name))
    }
    const { free, size } = await room(dataDir)
    return { ...use, free_bytes: free, disk_bytes: size }
  }

  function begin(): void {
    counting = true
    const startedMs = clock.nowMs()
    // Files come and go meanwhile, and a disk may fail: then it is not known.
    countAll()
      .then(
        (use) => {
          known = use
        },
        () => {
          known = null
        },
      )
      .finally(() => {
        counting = false
        const endedMs = clock.nowMs()
        nextMs = endedMs + Math.max(REST_MS_MIN, REST_FACTOR * Math.abs(endedMs - startedMs))
      })
  }

  return () => {
    const nowMs = clock.nowMs()
    // The clock may step back.
    const isDue = nowMs >= nextMs || nextMs - nowMs > 24 * 3_600_000
    if (!counting && isDue) begin()
    return known
  }
}
