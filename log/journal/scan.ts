import { payloadIsWhole, RECORD_HEAD_BYTES, RECORD_MAGIC, type RecordHead, readRecordHead } from './record.ts'
import { decodeHead, type SegmentHead } from './segment-head.ts'
import { checksumSeed, type SegmentId } from './segment-name.ts'

/** A whole record; positions count bytes of the file. */
export interface FoundRecord extends RecordHead {
  readonly position: number
  readonly end: number
}

/** Bytes between records that are no whole record. */
export interface BadRange {
  readonly position: number
  readonly end: number
  /** Records found before it. */
  readonly before: number
}

export interface Scan {
  /** Null when it is torn or damaged. */
  readonly head: SegmentHead | null
  /** Length of the head, 0 when that is not known. */
  readonly headBytes: number
  readonly records: FoundRecord[]
  readonly bad: BadRange[]
}

/**
 * Reads a whole segment. Where a record cannot be read, looks for the next head whose checksum is right; what lies between is
 * bad. Says nothing about why: a torn tail and damage look the same here.
 */
export function scanSegment(file: Buffer, id: SegmentId): Scan {
  const decoded = decodeHead(file, id)
  const headBytes = decoded?.bytes ?? 0
  return { head: decoded?.head ?? null, headBytes, ...scanRecords(file, headBytes, id) }
}

function scanRecords(file: Buffer, start: number, id: SegmentId): Pick<Scan, 'records' | 'bad'> {
  const records: FoundRecord[] = []
  const bad: BadRange[] = []
  const heads = new Heads(file, start, id)
  let at = start
  while (at < file.length) {
    const head = heads.at(at)
    if (head === null) {
      const next = heads.next(at + 1)
      bad.push({ position: at, end: next, before: records.length })
      at = next
      continue
    }
    const end = at + RECORD_HEAD_BYTES + head.payloadBytes
    if (payloadIsWhole(file, at, head)) records.push({ ...head, position: at, end })
    else bad.push({ position: at, end, before: records.length })
    heads.passed(head.offset, end)
    at = end
  }
  return { records, bad }
}

/** The record heads of a segment, read from its beginning to its end. */
class Heads {
  readonly #file: Buffer
  readonly #seed: number
  /** The offset that comes next if nothing is missing, and where its record would begin. */
  #nextOffset: number
  #nextAt: number

  constructor(file: Buffer, start: number, id: SegmentId) {
    this.#file = file
    this.#seed = checksumSeed(id)
    this.#nextOffset = id.firstOffset
    this.#nextAt = start
  }

  /** The head at `at`; null when there is none, or when it cannot follow what was passed. */
  at(at: number): RecordHead | null {
    const head = readRecordHead(this.#file, at, { position: at, seed: this.#seed })
    if (head === null || at + RECORD_HEAD_BYTES + head.payloadBytes > this.#file.length) return null
    const missing = head.offset - this.#nextOffset
    // As many blocks can be missing as have room in what was skipped.
    const missingMax = Math.floor((at - this.#nextAt) / RECORD_HEAD_BYTES)
    return missing >= 0 && missing <= missingMax && head.syncedTo <= at ? head : null
  }

  /** Where the first head at or behind `from` stands, the length of the file when there is none. */
  next(from: number): number {
    const file = this.#file
    for (let at = file.indexOf(RECORD_MAGIC, from); at >= 0; at = file.indexOf(RECORD_MAGIC, at + 1))
      if (this.at(at) !== null) return at
    return file.length
  }

  /** The block of that offset ends at `end`. */
  passed(offset: number, end: number): void {
    this.#nextOffset = offset + 1
    this.#nextAt = end
  }
}

/**
 * Where the last segment must be cut: at the first bad range that no later record proves to have been synced. A record
 * proves everything below its `syncedTo`. The length of the file when nothing is to be cut.
 */
export function cutPosition({ records, bad }: Pick<Scan, 'records' | 'bad'>, fileBytes: number): number {
  for (const range of bad) {
    const proven = records.slice(range.before).some((record) => record.syncedTo >= range.end)
    if (!proven) return range.position
  }
  return fileBytes
}
