import { crc32 } from 'node:zlib'
import { RECORD_HEAD_BYTES, RECORD_MAGIC, type RecordHead, readRecordHead } from './format.ts'

/** A whole record; positions count bytes of the file. */
export interface FoundRecord extends RecordHead {
  readonly position: number
  readonly end: number
}

/** Bytes between records that are no whole record. */
export interface BadRange {
  readonly position: number
  readonly end: number
  /** Offset of the block that stood there, where its head can still be read. */
  readonly offset: number | null
  /** Records found before it. */
  readonly before: number
}

export interface Scan {
  readonly records: FoundRecord[]
  readonly bad: BadRange[]
}

/**
 * Reads the records of a whole segment from `start`. Where one cannot be read, looks for the next head whose checksum is
 * right; what lies between is bad. Says nothing about why: a torn tail and damage look the same here.
 */
export function scanRecords(file: Buffer, start: number): Scan {
  const records: FoundRecord[] = []
  const bad: BadRange[] = []
  let at = start
  while (at < file.length) {
    const head = readRecordHead(file, at)
    const end = head === null ? file.length : at + RECORD_HEAD_BYTES + head.payloadBytes
    if (head !== null && end <= file.length) {
      if (payloadIsWhole(file, at, head)) records.push({ ...head, position: at, end })
      else bad.push({ position: at, end, offset: head.offset, before: records.length })
      at = end
      continue
    }
    const next = nextHead(file, at + 1)
    bad.push({ position: at, end: next, offset: head?.offset ?? null, before: records.length })
    at = next
  }
  return { records, bad }
}

export function payloadIsWhole(bytes: Buffer, at: number, head: RecordHead): boolean {
  const from = at + RECORD_HEAD_BYTES
  return crc32(bytes.subarray(from, from + head.payloadBytes)) === head.payloadCrc
}

function nextHead(file: Buffer, from: number): number {
  for (let at = file.indexOf(RECORD_MAGIC, from); at >= 0; at = file.indexOf(RECORD_MAGIC, at + 1)) {
    if (readRecordHead(file, at) !== null) return at
  }
  return file.length
}

/**
 * Where the last segment must be cut: at the first bad range that no later record proves to have been synced. A record
 * proves everything below its `syncedTo`. The length of the file when nothing is to be cut.
 */
export function cutPosition({ records, bad }: Scan, fileBytes: number): number {
  for (const range of bad) {
    const proven = records.slice(range.before).some((record) => record.syncedTo >= range.end)
    if (!proven) return range.position
  }
  return fileBytes
}
