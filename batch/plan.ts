import type { DataFile, Snapshot } from '../lake/delta/port.ts'
import { dateOfHour, hoursOf } from '../lake/tables/hours.ts'
import { coveredMs, coveredPosition, logFacts, offsetsOf, whollyWithin } from '../lake/tables/messages.ts'
import { viewState } from '../lake/tables/published.ts'
import { chainFrom, type Tick } from '../lake/tables/ticks.ts'
import {
  BEGINNING,
  type Gap,
  offsetIn,
  type Position,
  partitionsOf,
  samePosition,
} from '../schemas/position.ts'
import { HOUR_MS } from '../schemas/time.ts'
import { definitionHash, parseDefinition, type View } from '../schemas/view.ts'
import { viewColumns } from '../schemas/view-columns.ts'

/**
 * What a run recomputes, as data: a pure function of three snapshots. A run is map tasks (files → partial cells) and one
 * reduce task per date; every engine executes the same plan.
 *
 *     messages ─ files with rows ≤ T of dirty hours ─▶ map … map ─▶ reduce (date) ⊕ carried hours ─▶ one file a date
 */
export interface RunPlan {
  readonly view: View
  readonly hash: string
  readonly tidemark: Position
  /** Whether files of the published version have other columns than the view: nothing of them can be carried. */
  readonly replaces: boolean
  /** Log time at the tidemark. */
  readonly logTimeMs: { readonly [partition: number]: number }
  readonly messagesVersion: number
  readonly full: boolean
  /** Dates with hours to recompute, ascending. */
  readonly dates: readonly DatePlan[]
  /** Hours that hold rows above the tidemark: dirty for the next run. */
  readonly dirtyHours: readonly string[]
  /** Damage of the log below the tidemark. */
  readonly gaps: readonly Gap[]
}

export interface DatePlan {
  readonly date: string
  /** Hours of the date whose cells are computed again; all others are carried. */
  readonly hours: readonly string[]
  readonly maps: readonly MapTask[]
  /** The date's file in the published version. */
  readonly base: DataFile | null
}

export interface MapTask {
  readonly files: readonly DataFile[]
}

export interface PlanInput {
  readonly view: View
  readonly messages: Snapshot
  readonly published: Snapshot
  readonly ticks: readonly Tick[]
  /** Files added by the commits since the `messages` version that the last run read; null when not known. */
  readonly addedSince: readonly DataFile[] | null
  /** Dates of files removed by them. */
  readonly removedDates: readonly string[]
  readonly tickMs: number
  readonly full: boolean
}

/** So many ticks of log time behind, speed is taken to be down, and the run goes on without it. */
const TICKS_BEHIND_MAX = 10
/** Rows of one map task: what an engine holds at a time grows with it. */
const MAP_ROWS_MAX = 4_000_000

export function planRun(input: PlanInput): RunPlan {
  const { view, messages, published } = input
  const state = viewState(published)
  const hash = definitionHash(view)
  const { tidemark, logTimeMs } = chooseTidemark(input)
  const files = [...messages.files.values()]
  const dirty = wholeBuckets(view, dirtyHours(input, tidemark))
  const above = files.filter((file) => !whollyWithin(file, tidemark))
  return {
    view,
    hash,
    tidemark,
    logTimeMs,
    messagesVersion: messages.version,
    full: input.full || state === null || state.hash !== hash,
    replaces: state !== null && columnNames(parseDefinition(state.definition)) !== columnNames(view),
    dates: planDates(dirty, files, published, tidemark),
    dirtyHours: [...new Set(above.flatMap(hoursOf))].sort(),
    gaps: logFacts(messages).gaps.filter((gap) => gap.from < offsetIn(tidemark, gap.partition)),
  }
}

/** Whether publishing the plan would change nothing: the same rows under the same definition. */
export function isNothingNew(plan: RunPlan, published: Snapshot): boolean {
  const state = viewState(published)
  // Before the first publish, with nothing below the tidemark and nothing imported, there is nothing to publish either.
  if (state === null)
    return (
      plan.dates.length === 0 &&
      partitionsOf(plan.tidemark).every((p) => offsetIn(plan.tidemark, p) === BEGINNING)
    )
  return (
    !plan.full &&
    plan.dates.length === 0 &&
    samePosition(plan.tidemark, state.tidemark) &&
    JSON.stringify(plan.gaps) === JSON.stringify(state.gaps)
  )
}

/**
 * Per partition the greatest tick boundary at or below what `messages` covers, or all that is covered when speed is down
 * or the partition takes no more blocks. Never lower than before.
 */
export function chooseTidemark({ view, messages, published, ticks, tickMs }: PlanInput): {
  tidemark: Position
  logTimeMs: { [partition: number]: number }
} {
  const state = viewState(published)
  const hash = definitionHash(view)
  const covered = coveredPosition(messages)
  const { closed } = logFacts(messages)
  const known = Object.values(state?.logTimeMs ?? {})
  const createdMs = Number(messages.configuration['tidemark.created'] ?? 0)
  const tidemark: { [partition: number]: number } = {}
  const logTimeMs: { [partition: number]: number } = {}
  for (const partition of partitionsOf(covered, state?.tidemark ?? {})) {
    const before = state ? offsetIn(state.tidemark, partition) : BEGINNING
    const beforeMs = state?.logTimeMs?.[partition] ?? Math.max(createdMs, ...known)
    const end = offsetIn(covered, partition)
    const endMs = coveredMs(messages, partition)
    const chain = chainFrom(ticks, hash, partition, before).filter((tick) => tick.to <= end)
    const last = chain.at(-1) ?? { to: before, toMs: beforeMs }
    // A view that is new has no ticks of what was there before it.
    const isNew = state === null && !ticks.some((tick) => tick.hash === hash && tick.partition === partition)
    const isBehind = endMs - last.toMs > TICKS_BEHIND_MAX * tickMs
    const withoutTicks = closed[partition] !== undefined || isNew || isBehind
    tidemark[partition] = Math.max(before, withoutTicks ? end : last.to)
    logTimeMs[partition] = withoutTicks ? endMs : last.toMs
  }
  return { tidemark, logTimeMs }
}

/**
 * Hours whose cells may differ from the published ones: those that held rows above the old tidemark, and those touched
 * since. All of them when that is not known, or the definition changed.
 */
function dirtyHours(input: PlanInput, tidemark: Position): Set<string> {
  const { view, messages, published, addedSince, removedDates } = input
  const state = viewState(published)
  const everything =
    state === null || input.full || addedSince === null || state.hash !== definitionHash(view)
  if (everything) {
    const dates = [...published.files.values()].map((file) => file.partition.date!)
    return new Set([...[...messages.files.values()].flatMap(hoursOf), ...dates.flatMap(hoursOfDate)])
  }
  const dirty = new Set(removedDates.flatMap(hoursOfDate))
  for (const file of addedSince)
    if (reaches(file, tidemark)) for (const hour of hoursOf(file)) dirty.add(hour)
  if (!samePosition(tidemark, state.tidemark)) for (const hour of state.dirtyHours) dirty.add(hour)
  for (const hour of state.damagedHours ?? []) dirty.add(hour)
  return dirty
}

/** All hours of the cells that hold `hours`: a cell of a day is computed of its whole day. */
function wholeBuckets({ bucketMs }: View, hours: ReadonlySet<string>): ReadonlySet<string> {
  return bucketMs <= HOUR_MS ? hours : new Set([...hours].map(dateOfHour).flatMap(hoursOfDate))
}

function columnNames(view: View): string {
  return viewColumns(view)
    .map(({ name }) => name)
    .join()
}

function hoursOfDate(date: string): string[] {
  return Array.from({ length: 24 }, (_, hour) => `${date}T${String(hour).padStart(2, '0')}`)
}

/** Whether any row of `file` may lie at or below `position`. */
function reaches(file: DataFile, position: Position): boolean {
  const ranges = Object.entries(offsetsOf(file))
  return ranges.some(
    ([partition, [first]]) => Number(partition) < 0 || first <= offsetIn(position, Number(partition)),
  )
}

function planDates(
  dirty: ReadonlySet<string>,
  files: readonly DataFile[],
  published: Snapshot,
  tidemark: Position,
): DatePlan[] {
  const bases = new Map([...published.files.values()].map((file) => [file.partition.date!, file]))
  const byDate = new Map<string, DataFile[]>()
  for (const file of files) {
    if (!reaches(file, tidemark) || !hoursOf(file).some((hour) => dirty.has(hour))) continue
    const date = file.partition.date!
    byDate.set(date, [...(byDate.get(date) ?? []), file])
  }
  const hours = new Map<string, string[]>()
  for (const hour of [...dirty].sort()) {
    const date = dateOfHour(hour)
    hours.set(date, [...(hours.get(date) ?? []), hour])
  }
  return [...hours]
    .filter(([date]) => byDate.has(date) || bases.has(date))
    .map(([date, ofDate]) => ({
      date,
      hours: ofDate,
      maps: mapTasks(byDate.get(date) ?? []),
      base: bases.get(date) ?? null,
    }))
}

function mapTasks(files: readonly DataFile[]): MapTask[] {
  const tasks: DataFile[][] = []
  let rows = Number.POSITIVE_INFINITY
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (rows + file.rows > MAP_ROWS_MAX) {
      tasks.push([])
      rows = 0
    }
    tasks.at(-1)!.push(file)
    rows += file.rows
  }
  return tasks.map((of) => ({ files: of }))
}
