import type { Disk } from '../../schemas/ports/disk.ts'
import {
  RECORD_BYTES_MIN,
  readSpool,
  type SpoolContent,
  type SpoolHead,
  type SpoolMark,
  type SpoolRecord,
} from './format.ts'

/** A file of a spool, as far as it can be read. */
export interface SpoolFile {
  readonly path: string
  readonly head: SpoolHead
  bytes: number
  /** Samples in it, and the number of the last; of an empty file the one before its first. */
  count: number
  last: number
}

/** What an agent left in its folder. */
export interface SpoolFolder {
  /** In the order of their records; their head says under which id they are sent. */
  readonly files: SpoolFile[]
  /** Files that belong to no id: their samples are counted as lost. */
  readonly headless: string[]
  /** The records of the last file that has any. */
  readonly newest: readonly SpoolRecord[]
  readonly mark: SpoolMark
  /** The first number that was never given out. */
  readonly next: number
  /** What is damaged and lost, in words. */
  readonly damage: readonly string[]
}

const NAME = /^\d{16}\.spool$/

export function pathOf(dir: string, { first }: SpoolHead): string {
  return `${dir}/${String(first).padStart(16, '0')}.spool`
}

/**
 * Returns what lies in the folder, gauges in the order of `gauges`; one file at a time is in memory. Throws `E_DISK`.
 */
export async function readFolder(disk: Disk, dir: string, gauges: readonly string[]): Promise<SpoolFolder> {
  const found = new FoundFiles()
  for (const name of await disk.list(dir)) {
    if (!NAME.test(name)) continue
    const path = `${dir}/${name}`
    const bytes = (await disk.readFile(path)) ?? new Uint8Array()
    found.add(path, readSpool(bytes, gauges), bytes.length)
  }
  return found.folder()
}

/** Adds up what files hold, which come in the order of their records. */
export class FoundFiles {
  readonly #files: SpoolFile[] = []
  readonly #headless: { readonly path: string; readonly numbers: readonly number[] }[] = []
  #newest: readonly SpoolRecord[] = []
  #mark: SpoolMark = { settled: 0, lost: 0 }
  /** Numbers that may have been sent are not given out again, whether their records can be read or not. */
  #highest = 0

  /** `size` is the file's length in bytes, with what cannot be read. */
  add(path: string, content: SpoolContent, size: number): void {
    const { head, records, mark, bytes } = content
    // Each mark says what those before it said.
    if (mark !== null) this.#mark = { ...mark, settled: Math.max(this.#mark.settled, mark.settled) }
    this.#highest = Math.max(this.#highest, this.#mark.settled, records.at(-1)?.number ?? 0)
    this.#highest += Math.floor((size - bytes) / RECORD_BYTES_MIN)
    if (head === null) {
      this.#headless.push({ path, numbers: records.map(({ number }) => number) })
      return
    }
    if (records.length > 0) this.#newest = records
    const last = records.at(-1)?.number ?? head.first - 1
    this.#files.push({ path, head, bytes, count: records.length, last })
  }

  folder(): SpoolFolder {
    const files = this.#files
    const damage: string[] = []
    let mark = this.#mark
    let lost = 0
    for (const { path, numbers } of this.#headless) {
      const waiting = numbers.filter((number) => number > mark.settled).length
      lost += waiting
      // Without samples it is one that could not be begun.
      if (waiting > 0) damage.push(`the head of ${path} is damaged, ${waiting} samples in it are lost`)
      // Given up, and not to be counted again: unless that would give up what waits before it.
      const last = numbers.at(-1) ?? 0
      if (!files.some((file) => file.head.first <= last && file.last > mark.settled))
        mark = { ...mark, settled: Math.max(mark.settled, last) }
    }
    // Damage of older files was found by the starts before.
    const newest = files.at(-1)
    const missing = newest === undefined ? 0 : missingIn(newest)
    if (missing > 0) damage.push(`${missing} samples of ${newest!.path} are damaged and lost`)
    return {
      files,
      headless: this.#headless.map(({ path }) => path),
      newest: this.#newest,
      mark: { ...mark, lost: mark.lost + lost + missing },
      next: Math.max(this.#highest, newest?.last ?? 0) + 1,
      damage,
    }
  }
}

/** Samples that a file should hold between its first and its last, and does not. */
function missingIn({ head, last, count }: SpoolFile): number {
  return Math.max(0, last - head.first + 1 - count)
}
