import { host } from '../../schemas/datasets/host.ts'
import type { Sample } from '../backlog.ts'
import { areColumns, columnsOf, gaugesIn, namesIn, type SpoolColumns } from './columns.ts'
import { FRAME_BYTES, frame, nextFrame, readFrame } from './frame.ts'

/**
 * The files of a spool, `<number of the first record>.spool` (docs/format/spool.md). Each is a head and then records, all
 * framed alike (frame.ts):
 *
 *     head     {"agent":"…","base":0,"first":1,"dataset":"host","columns":["service","host","time_stamp","cpu",…]}
 *     sample   [42,"checkout","web-1",1764000000000,12.5,40.1,71]: its record's number, then a value a column; null: absent
 *     mark     {"settled":41,"lost":7}: nobody waits for what is up to that record, and so many samples are lost of which no
 *              collector knows
 *
 * Earlier releases wrote heads without dataset and columns, which are those of `host`, and a mark without losses as a
 * number alone.
 */
export interface SpoolHead extends SpoolColumns {
  readonly agent: string
  /** The record's number less this is the sample's. */
  readonly base: number
  /** Number of the first sample in this file. */
  readonly first: number
}

/** What becomes of samples that are not in the spool any more. */
export interface SpoolMark {
  /** Everything up to that record is durable elsewhere, or given up. */
  readonly settled: number
  /** Samples given up of which no collector was told. */
  readonly lost: number
}

/** A sample in the spool. Records count from 1 for as long as the spool lives, whatever the id. */
export interface SpoolRecord extends Sample {
  readonly number: number
}

/** No sample is shorter: one name, one gauge. */
export const RECORD_BYTES_MIN = FRAME_BYTES + '[1,"s",0,0]'.length

export function encodeRecord({ number, names, timeMs, gauges }: SpoolRecord): Buffer {
  return frame([number, ...names, timeMs, ...gauges])
}

/** What a file holds, as far as it can be read. */
export interface SpoolContent {
  readonly head: SpoolHead | null
  /** In order; the numbers of damaged ones are missing. */
  readonly records: readonly SpoolRecord[]
  /** The last mark in the file; null without one. */
  readonly mark: SpoolMark | null
  /** Length up to the last record that can be read. */
  readonly bytes: number
}

/**
 * Returns what a file holds. Whatever is damaged is left out, up to the next record that is whole; also a head. Gauges
 * come in the order of `gauges`, NaN where the file has none of that name; without it, in the file's own.
 */
export function readSpool(file: Uint8Array, gauges?: readonly string[]): SpoolContent {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length)
  const first = readFrame(bytes, 0)
  const head = first === null ? null : headOf(first.payload)
  const toRecord = recordReader(head ?? columnsOf(host), gauges)
  const records: SpoolRecord[] = []
  let mark: SpoolMark | null = null
  let end = head === null ? 0 : first!.end
  for (let at = end; at < bytes.length; ) {
    const found = readFrame(bytes, at)
    const record = found && toRecord(found.payload)
    const nextMark = found && markOf(found.payload)
    if (record === null && nextMark === null) {
      at = nextFrame(bytes, at)
      continue
    }
    // A number that was given out before belongs to a write that failed.
    if (record !== null && record.number > (records.at(-1)?.number ?? 0)) records.push(record)
    mark = nextMark ?? mark
    at = found!.end
    end = at
  }
  return { head, records, mark, bytes: end }
}

function headOf(payload: unknown): SpoolHead | null {
  if (typeof payload !== 'object' || payload === null) return null
  const { agent, base, first, dataset, columns } = payload as Record<string, unknown>
  if (typeof agent !== 'string' || !isCount(base) || !isCount(first)) return null
  const own = { agent, base, first }
  if (columns === undefined && dataset === undefined) return { ...own, ...columnsOf(host) }
  return { ...own, dataset: String(dataset), columns: areColumns(columns) ? columns : [] }
}

function markOf(payload: unknown): SpoolMark | null {
  if (isCount(payload)) return { settled: payload, lost: 0 }
  if (typeof payload !== 'object' || payload === null) return null
  const { settled, lost } = payload as Record<string, unknown>
  return isCount(settled) && isCount(lost) ? { settled, lost } : null
}

/** Returns what reads a sample of these columns; null for a payload that is none. A value that is missing is absent. */
function recordReader(
  found: SpoolColumns,
  gauges: readonly string[] = gaugesIn(found),
): (payload: unknown) => SpoolRecord | null {
  const time = 1 + namesIn(found)
  const places = gauges.map((gauge) => 1 + found.columns.indexOf(gauge))
  return (payload) => {
    if (!Array.isArray(payload)) return null
    const number: unknown = payload[0]
    const names: unknown[] = payload.slice(1, time)
    const timeMs: unknown = payload[time]
    if (!isCount(number) || !names.every((name) => typeof name === 'string')) return null
    if (typeof timeMs !== 'number') return null
    return {
      number,
      names,
      timeMs,
      gauges: places.map((place) => (place > time ? gaugeOf(payload[place]) : Number.NaN)),
    }
  }
}

function gaugeOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
