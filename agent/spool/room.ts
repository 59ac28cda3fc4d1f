import type { SpoolFile } from './folder.ts'

/** A file is followed by another when it would exceed this, or an eighth of all. */
const FILE_BYTES_MAX = 4 << 20

/** How much a spool may hold. */
export interface SpoolRoom {
  /** All files together. */
  readonly bytesMax: number
  readonly fileBytesMax: number
}

export function roomOf(bytesMax: number): SpoolRoom {
  return { bytesMax, fileBytesMax: Math.min(FILE_BYTES_MAX, Math.floor(bytesMax / 8)) }
}

/** Whether so many bytes more go into a file of their own. */
export function needsAnotherFile({ fileBytesMax }: SpoolRoom, newest: SpoolFile, bytes: number): boolean {
  return newest.bytes + bytes > fileBytesMax && newest.count > 0
}

/** Returns how many of the oldest files have to go for so many bytes more; the newest stays. */
export function filesToGiveUp({ bytesMax }: SpoolRoom, files: readonly SpoolFile[], bytes: number): number {
  let used = files.reduce((sum, file) => sum + file.bytes, 0)
  let count = 0
  while (count < files.length - 1 && used + bytes > bytesMax) used -= files[count++]!.bytes
  return count
}
