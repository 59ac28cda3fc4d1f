import { type Gap, type Position, partitionsOf } from '../schemas/position.ts'
import type { View } from '../schemas/view.ts'
import { viewColumns } from '../schemas/view-table.ts'
import type { DataFile, Field, Snapshot, TableSchema } from './delta/port.ts'

/**
 * The lake's tables, and what each commit says beyond its files: txns (positions and compare-and-set counters),
 * tags of files, and configuration. Every layer that meets another in the lake goes through this file.
 */

const required = (name: string, type: Field['type']): Field => ({ name, type, nullable: false })
const optional = (name: string, type: Field['type']): Field => ({ name, type, nullable: true })

export const MESSAGES = 'messages'

export const messagesSchema: TableSchema = {
  fields: [
    required('service', 'string'),
    required('host', 'string'),
    required('time_stamp', 'timestamp'),
    required('cpu', 'double'),
    required('ram', 'double'),
    required('disk', 'double'),
    optional('agent', 'string'),
    optional('seq', 'long'),
    required('partition', 'integer'),
    required('offset', 'long'),
    required('index', 'integer'),
    required('date', 'date'),
  ],
  partitionBy: ['date'],
}

/** Schema of a view's table: `viewColumns`, then the partition column `date`. */
export function viewSchema(view: View): TableSchema {
  const fields = viewColumns(view).map(({ name, type }) => required(name, type))
  return { fields: [...fields, required('date', 'date')], partitionBy: ['date'] }
}

/** Table of the ticks of a view; the same columns, not partitioned. */
export function ticksTable(view: Pick<View, 'name'>): string {
  return `${view.name}_ticks`
}

export function ticksSchema(view: View): TableSchema {
  return { fields: viewColumns(view).map(({ name, type }) => required(name, type)), partitionBy: [] }
}

export const RUNS = 'runs'

/** One row a run; `tidemark` is JSON. */
export const runsSchema: TableSchema = {
  fields: [
    required('run', 'string'),
    required('view', 'string'),
    required('started', 'timestamp'),
    required('ended', 'timestamp'),
    required('result', 'string'),
    optional('error', 'string'),
    required('full', 'boolean'),
    required('engine', 'string'),
    required('definition', 'string'),
    required('messages_version', 'long'),
    optional('view_version', 'long'),
    required('tidemark', 'string'),
    required('hours', 'long'),
    required('files', 'long'),
    required('rows', 'long'),
  ],
  partitionBy: [],
}

// --- txns ---------------------------------------------------------------------------------------------------

/** Covered position of `messages`; `lastUpdatedMs` is the log time at that position. */
export const sealApp = (partition: number) => `seal/${partition}`
/** Position up to which the ticks of one chain are committed. */
export const tickApp = (view: string, hash: string, partition: number) => `tick/${view}/${hash}/${partition}`
/** Raised by every tick of a chain, replacing ones included, so that two equal positions exclude each other. */
export const tickCounterApp = (view: string, hash: string, partition: number) =>
  `tick-counter/${view}/${hash}/${partition}`
/** Raised by every publish of a view. */
export const publishApp = (view: string) => `publish/${view}`

/** The positions that the txns of `messages` say are sealed. */
export function coveredPosition(messages: Snapshot | null): Position {
  const position: { [partition: number]: number } = {}
  for (const [app, txn] of messages?.txns ?? []) {
    if (app.startsWith('seal/')) position[Number(app.slice('seal/'.length))] = txn.version
  }
  return position
}

/** Log time of the covered position of `partition`; 0 when nothing is sealed. */
export function coveredMs(messages: Snapshot | null, partition: number): number {
  return messages?.txns.get(sealApp(partition))?.lastUpdatedMs ?? 0
}

// --- files of messages --------------------------------------------------------------------------------------

/** UTC hours of the day that a file of `messages` holds rows of: tag `hours`, like `"0,13"`. */
export function hoursTag(hours: Iterable<number>): string {
  return [...new Set(hours)].sort((a, b) => a - b).join(',')
}

/** The hours a file of `messages` holds, as `hourName`s. */
export function hoursOf(file: DataFile): string[] {
  return (file.tags.hours ?? '')
    .split(',')
    .filter((hour) => hour !== '')
    .map((hour) => `${file.partition.date}T${hour.padStart(2, '0')}`)
}

/** `2026-11-22T10`: the name of a UTC hour, which sorts by time. */
export function hourName(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 13)
}

/** Start of the hour of that name. */
export function hourStartMs(name: string): number {
  return Date.parse(`${name}:00:00Z`)
}

/** First and last offset per partition of a file of `messages`: tag `offsets`. */
export type OffsetRanges = { readonly [partition: number]: readonly [number, number] }

export function offsetsOf(file: DataFile): OffsetRanges {
  return JSON.parse(file.tags.offsets ?? '{}') as OffsetRanges
}

/** Whether every row of `file` lies at or below `position`; imported rows always do. */
export function whollyWithin(file: DataFile, position: Position): boolean {
  return Object.entries(offsetsOf(file)).every(
    ([partition, [, last]]) => Number(partition) < 0 || last <= (position[Number(partition)] ?? -1),
  )
}

// --- configuration of messages ------------------------------------------------------------------------------

/** What `messages` says of the log besides its rows. */
export interface LogFacts {
  /** Damaged ranges below the covered position. */
  readonly gaps: readonly Gap[]
  /** Partitions that take no more blocks: their last offset. */
  readonly closed: Position
}

export function logFacts(messages: Snapshot | null): LogFacts {
  return JSON.parse(messages?.configuration['tidemark.log'] ?? '{"gaps":[],"closed":{}}') as LogFacts
}

export function withLogFacts(messages: Snapshot, facts: LogFacts): Record<string, string> {
  return { ...messages.configuration, 'tidemark.log': JSON.stringify(facts) }
}

// --- ticks --------------------------------------------------------------------------------------------------

/** One tick: the cells of the blocks `(from, to]` of one partition under one definition. */
export interface Tick {
  readonly file: DataFile
  readonly hash: string
  readonly partition: number
  readonly from: number
  readonly to: number
  /** Log time at `to`. */
  readonly toMs: number
  readonly gaps: readonly Gap[]
}

/** The tags that a tick's file carries. */
export function tickTags(tick: Omit<Tick, 'file'>): Record<string, string> {
  return { tick: JSON.stringify(tick) }
}

/** What was read from snapshots and files, which never change. */
const ticksBySnapshot = new WeakMap<Snapshot, readonly Tick[]>()
const tickByFile = new WeakMap<DataFile, Tick>()

/** The ticks that a version of a ticks table names, by definition, partition and position. */
export function ticksOf(snapshot: Snapshot | null): readonly Tick[] {
  if (snapshot === null) return []
  let ticks = ticksBySnapshot.get(snapshot)
  if (ticks === undefined) {
    ticks = [...snapshot.files.values()]
      .filter((file) => file.tags.tick !== undefined)
      .map(tickOf)
      .sort((a, b) => a.partition - b.partition || a.from - b.from || a.to - b.to)
    ticksBySnapshot.set(snapshot, ticks)
  }
  return ticks
}

function tickOf(file: DataFile): Tick {
  let tick = tickByFile.get(file)
  if (tick === undefined) {
    tick = { ...(JSON.parse(file.tags.tick!) as Omit<Tick, 'file'>), file }
    tickByFile.set(file, tick)
  }
  return tick
}

/** The ticks that follow `from` without a break, each beginning where its predecessor ends. */
export function chainFrom(ticks: readonly Tick[], hash: string, partition: number, from: number): Tick[] {
  const next = new Map(
    ticks.filter((t) => t.hash === hash && t.partition === partition).map((t) => [t.from, t] as const),
  )
  const chain: Tick[] = []
  for (let tick = next.get(from); tick !== undefined; tick = next.get(tick.to)) chain.push(tick)
  return chain
}

// --- published versions -------------------------------------------------------------------------------------

/** What a published version of a view says of itself, in the same commit as its files. */
export interface ViewState {
  /** The tidemark. */
  readonly tidemark: Position
  readonly hash: string
  /** The definition as JSON. */
  readonly definition: string
  /** The version of `messages` that was read. */
  readonly messagesVersion: number
  /** Hours (`hourName`) that held rows above the tidemark in it. */
  readonly dirtyHours: readonly string[]
  /** Hours whose files could not be read: their cells are those of an older version. */
  readonly damagedHours?: readonly string[]
  /** Log time at the tidemark. */
  readonly logTimeMs?: { readonly [partition: number]: number }
  /** Damage below the tidemark. */
  readonly gaps: readonly Gap[]
  readonly run: string
}

/** Null before the first publish. */
export function viewState(view: Snapshot | null): ViewState | null {
  const json = view?.configuration['tidemark.view']
  return json ? (JSON.parse(json) as ViewState) : null
}

export function withViewState(view: Snapshot, state: ViewState): Record<string, string> {
  return { ...view.configuration, 'tidemark.view': JSON.stringify(state) }
}

/** The UTC date of an hour's name. */
export function dateOfHour(hour: string): string {
  return hour.slice(0, 10)
}

/** Highest position per partition that anything in the lake names: a log must not begin below it. */
export function namedPosition(...snapshots: (Snapshot | null)[]): Position {
  const named: { [partition: number]: number } = {}
  const raise = (partition: number, offset: number) => {
    named[partition] = Math.max(named[partition] ?? -1, offset)
  }
  for (const snapshot of snapshots) {
    for (const [app, txn] of snapshot?.txns ?? []) {
      if (app.startsWith('seal/') || app.startsWith('tick/'))
        raise(Number(app.split('/').at(-1)), txn.version)
    }
    const tidemark = viewState(snapshot)?.tidemark ?? {}
    for (const partition of partitionsOf(tidemark)) raise(partition, tidemark[partition]!)
  }
  return named
}
