import type { Disk } from '../schemas/ports/disk.ts'
import {
  RECORD_BYTES_MIN,
  readSpool,
  type SpoolHead,
  type SpoolMark,
  type SpoolRecord,
} from './spool-format.ts'

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
}

const NAME = /^\d{16}\.spool$/

export function pathOf(dir: string, { first }: SpoolHead): string {
  return `${dir}/${String(first).padStart(16, '0')}.spool`
}

/** Reads the folder, and says what of it is damaged and lost. */
export async function readFolder(
  disk: Disk,
  dir: string,
  logLine: (line: string) => void,
): Promise<SpoolFolder> {
  const files: SpoolFile[] = []
  const headless: { readonly path: string; readonly numbers: readonly number[] }[] = []
  let newest: readonly SpoolRecord[] = []
  let mark: SpoolMark = { settled: 0, lost: 0 }
  // Numbers that may have been sent are not given out again, whether their records can be read or not.
  let highest = 0
  for (const name of await disk.list(dir)) {
    if (!NAME.test(name)) continue
    const path = `${dir}/${name}`
    const bytes = (await disk.readFile(path)) ?? new Uint8Array()
    const { head, records, mark: last, bytes: readable } = readSpool(bytes)
    // Each mark says what those before it said.
    if (last !== null) mark = { ...last, settled: Math.max(mark.settled, last.settled) }
    highest = Math.max(highest, mark.settled, records.at(-1)?.number ?? 0)
    highest += Math.floor((bytes.length - readable) / RECORD_BYTES_MIN)
    if (head === null) {
      headless.push({ path, numbers: records.map(({ number }) => number) })
      continue
    }
    if (records.length > 0) newest = records
    files.push({
      path,
      head,
      bytes: readable,
      count: records.length,
      last: records.at(-1)?.number ?? head.first - 1,
    })
  }
  let damaged = 0
  for (const { path, numbers } of headless) {
    const waiting = numbers.filter((number) => number > mark.settled).length
    damaged += waiting
    // Without samples it is one that could not be begun.
    if (waiting > 0) logLine(`agent: the head of ${path} is damaged, ${waiting} samples in it are lost`)
    // Given up, and not to be counted again: unless that would give up what waits before it.
    const last = numbers.at(-1) ?? 0
    if (!files.some((file) => file.head.first <= last && file.last > mark.settled))
      mark = { ...mark, settled: Math.max(mark.settled, last) }
  }
  // Damage of older files was found by the starts before.
  const missing = missingOf(files.at(-1))
  if (missing > 0) logLine(`agent: ${missing} samples of ${files.at(-1)!.path} are damaged and lost`)
  return {
    files,
    headless: headless.map(({ path }) => path),
    newest,
    mark: { ...mark, lost: mark.lost + damaged + missing },
    next: Math.max(highest, files.at(-1)?.last ?? 0) + 1,
  }
}

/** Samples that a file should hold between its first and its last, and does not. */
function missingOf(file: SpoolFile | undefined): number {
  return file === undefined ? 0 : Math.max(0, file.last - file.head.first + 1 - file.count)
}
