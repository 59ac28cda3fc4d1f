import { formOf, formText, type MessageForm, nameColumns, parseForm } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import type { Sample } from '../backlog.ts'
import { FRAME_BYTES, frame, nextFrame, readFrame } from './frame.ts'

/**
 * The files of a spool, `<number of the first record>.spool` (docs/format/spool.md). Each is a head and then records, all
 * framed alike (frame.ts):
 *
 *     head     {"agent":"…","base":0,"first":1,"columns":"[\"host\",…]"}, columns as `formText` says; absent: those of `host`
 *     sample   [42,"checkout","web-1",1764000000000,12.5,40.1,71]: its record's number, names, time, gauges (null where absent)
 *     mark     {"settled":41,"lost":7}: nobody waits for what is up to that record, and so many samples are lost of which no
 *              collector knows; a number alone is a mark without losses
 */
export interface SpoolHead {
  readonly agent: string
  /** The record's number less this is the sample's. */
  readonly base: number
  /** Number of the first sample in this file. */
  readonly first: number
  /** What its samples consist of (`formText`). */
  readonly columns?: string
}

/** No sample is shorter: `[1,"s","h",0,0,0,0]`. */
export const RECORD_BYTES_MIN = FRAME_BYTES + 19

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

export function encodeRecord({ number, names, timeMs, gauges }: SpoolRecord): Buffer {
  return frame([number, ...names, timeMs, ...gauges])
}

/** What the samples of a file consist of; null when its head does not say it rightly. */
export function formOfHead({ columns }: SpoolHead): MessageForm | null {
  return columns === undefined ? formOf(host) : parseForm(columns)
}

/** How a head says it. */
export const columnsOf = (form: MessageForm): string => formText(form)

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

/** Reads a file. Whatever is damaged is left out, up to the next record that is whole; also a head. */
export function readSpool(file: Uint8Array): SpoolContent {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length)
  const first = readFrame(bytes, 0)
  const head = first === null ? null : headOf(first.payload)
  const form = (head === null ? null : formOfHead(head)) ?? formOf(host)
  const records: SpoolRecord[] = []
  let mark: SpoolMark | null = null
  let end = head === null ? 0 : first!.end
  for (let at = end; at < bytes.length; ) {
    const found = readFrame(bytes, at)
    if (found === null) {
      at = nextFrame(bytes, at)
      continue
    }
    if (Array.isArray(found.payload)) addRecord(records, recordOf(found.payload, form))
    else mark = markOf(found.payload)
    at = found.end
    end = at
  }
  return { head, records, mark, bytes: end }
}

/** A number that was given out before belongs to a write that failed. */
function addRecord(records: SpoolRecord[], record: SpoolRecord): void {
  if (record.number > (records.at(-1)?.number ?? 0)) records.push(record)
}

function headOf(payload: unknown): SpoolHead | null {
  const head = payload as SpoolHead | null
  return typeof head === 'object' && head !== null && typeof head.agent === 'string' ? head : null
}

function markOf(payload: unknown): SpoolMark {
  return typeof payload === 'number' ? { settled: payload, lost: 0 } : (payload as SpoolMark)
}

function recordOf(payload: unknown[], form: MessageForm): SpoolRecord {
  const time = 1 + nameColumns(form).length
  return {
    number: payload[0] as number,
    names: payload.slice(1, time) as string[],
    timeMs: payload[time] as number,
    gauges: payload.slice(time + 1).map((value) => (value as number | null) ?? Number.NaN),
  }
}
