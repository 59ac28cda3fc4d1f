import type { DataFile, Snapshot } from '../lake/delta/port.ts'
import type { FrozenFile } from '../lake/tables/frozen.ts'
import { dateOfHour, hoursOf } from '../lake/tables/hours.ts'
import { logFacts, type OffsetRanges, offsetsOf } from '../lake/tables/messages.ts'
import { viewState } from '../lake/tables/published.ts'
import {
  BEGINNING,
  type Gap,
  mergeGaps,
  offsetIn,
  type Position,
  partitionsOf,
  samePosition,
} from '../schemas/position.ts'
import { HOUR_MS } from '../schemas/time.ts'
import { definitionHash, storedDefinition, type View } from '../schemas/view.ts'
import { viewColumns } from '../schemas/view-columns.ts'
import { unfitGaps } from './report.ts'
import { chooseTidemark, type TidemarkInput } from './tidemark.ts'

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
  /** The id of the commit that made that version; null where it is not known. */
  readonly messagesCommit: string | null
  readonly full: boolean
  /** Dates with hours to recompute, ascending. */
  readonly dates: readonly DatePlan[]
  /** Hours that hold rows above the tidemark: dirty for the next run. */
  readonly dirtyHours: readonly string[]
  /** Damage of the log below the tidemark, and dates whose messages are gone and whose cells do not fit the view. */
  readonly gaps: readonly Gap[]
}

export interface DatePlan {
  readonly date: string
  /** Hours of the date whose cells are computed again; all others are carried. */
  readonly hours: readonly string[]
  readonly maps: readonly MapTask[]
  /** The date's file in the published version. */
  readonly base: DataFile | null
  /** Cells of messages that are no longer kept; they are added to the hours that are computed again. */
  readonly frozen: readonly FrozenFile[]
}

export interface MapTask {
  readonly files: readonly DataFile[]
}

export interface PlanInput extends TidemarkInput {
  /** The id of the commit that made the version of `messages`; null where it is not known. */
  readonly messagesCommit: string | null
  /** Files added by the commits since the `messages` version that the last run read; null when not known. */
  readonly addedSince: readonly DataFile[] | null
  /** Dates of files removed by them. */
  readonly removedDates: readonly string[]
  /** Frozen cells by date. */
  readonly frozen: ReadonlyMap<string, readonly FrozenFile[]>
  readonly full: boolean
}

/** Rows of one map task: what an engine holds at a time grows with it. */
const MAP_ROWS_MAX = 4_000_000
/** Files of `messages` looked at in one step: a few milliseconds. */
export const FILES_PER_STEP = 500

/** The plan, all at once. */
export function planRun(input: PlanInput): RunPlan {
  const steps = planInSteps(input)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** The plan, date by date: a table of years has tens of thousands of files. */
export function* planInSteps(input: PlanInput): Generator<void, RunPlan> {
  const { view, messages, published } = input
  const state = viewState(published)
  const hash = definitionHash(view)
  const { tidemark, logTimeMs } = chooseTidemark(input)
  const dirty = yield* dirtyHours(input, tidemark)
  const dates: DatePlan[] = []
  const dirtyNext: string[] = []
  let looked = 0
  for (const [date, { files, base, frozen }] of filesByDate(input)) {
    if (looked > 0 && looked + files.length > FILES_PER_STEP) {
      looked = 0
      yield
    }
    looked += files.length
    const placed = files.map((file) => place(file, tidemark))
    const hours = [...wholeBuckets(view, date, dirty(date, placed))].sort()
    const touched = new Set(hours)
    const read = placed.filter((one) => one.reaches && one.hours.some((hour) => touched.has(hour)))
    if (hours.length > 0 && (read.length > 0 || frozen.length > 0 || base !== null))
      dates.push({ date, hours, maps: mapTasks(read.map(({ file }) => file)), base, frozen })
    dirtyNext.push(...new Set(placed.flatMap((one) => (one.isWithin ? [] : one.hours)).sort()))
  }
  return {
    view,
    hash,
    tidemark,
    logTimeMs,
    messagesVersion: messages.version,
    messagesCommit: input.messagesCommit,
    full: input.full || state === null || state.hash !== hash,
    replaces: state !== null && columnNames(storedDefinition(state)) !== columnNames(view),
    dates,
    dirtyHours: dirtyNext,
    gaps: mergeGaps(
      logFacts(messages).gaps.filter((gap) => gap.from < offsetIn(tidemark, gap.partition)),
      unfitGaps(view, input.frozen),
    ),
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

/** What there is of each date, ascending: files of `messages`, its file in the published version, its frozen cells. */
function filesByDate({ messages, published, frozen }: PlanInput) {
  const found = new Map<string, { files: DataFile[]; base: DataFile | null; frozen: readonly FrozenFile[] }>()
  const of = (date: string) => {
    let one = found.get(date)
    if (one === undefined) {
      one = { files: [], base: null, frozen: frozen.get(date) ?? [] }
      found.set(date, one)
    }
    return one
  }
  for (const file of messages.files.values()) of(file.partition.date!).files.push(file)
  for (const file of published.files.values()) of(file.partition.date!).base = file
  for (const date of frozen.keys()) of(date)
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** A file of `messages`, and how it lies to the tidemark. */
interface Placed {
  readonly file: DataFile
  readonly hours: readonly string[]
  /** Whether any row of it may lie at or below the tidemark; imported rows always do. */
  readonly reaches: boolean
  /** Whether every row of it does. */
  readonly isWithin: boolean
}

function place(file: DataFile, tidemark: Position): Placed {
  const ranges = Object.entries(offsetsOf(file)) as [string, OffsetRanges[number]][]
  const below = (partition: string, offset: number) =>
    Number(partition) < 0 || offset <= offsetIn(tidemark, Number(partition))
  return {
    file,
    hours: hoursOf(file),
    reaches: ranges.some(([partition, [first]]) => below(partition, first)),
    isWithin: ranges.every(([partition, [, last]]) => below(partition, last)),
  }
}

/**
 * Hours of a date whose cells may differ from the published ones: those that held rows above the old tidemark, and those
 * touched since. All of them when that is not known, or the definition changed.
 */
function* dirtyHours(
  input: PlanInput,
  tidemark: Position,
): Generator<void, (date: string, files: readonly Placed[]) => Iterable<string>> {
  const { view, published, addedSince, removedDates, frozen } = input
  const state = viewState(published)
  if (state === null || input.full || addedSince === null || state.hash !== definitionHash(view)) {
    const whole = [...published.files.values()].map((file) => file.partition.date!)
    const computed = new Set([...whole, ...frozen.keys()])
    return (date, files) =>
      computed.has(date) ? hoursOfDate(date) : new Set(files.flatMap(({ hours }) => hours))
  }
  const dirty = new Map<string, string[]>()
  const add = (hour: string) => {
    const date = dateOfHour(hour)
    const hours = dirty.get(date)
    if (hours === undefined) dirty.set(date, [hour])
    else hours.push(hour)
  }
  for (const date of removedDates) hoursOfDate(date).forEach(add)
  for (const [i, file] of addedSince.entries()) {
    if (i > 0 && i % FILES_PER_STEP === 0) yield
    const { reaches, hours } = place(file, tidemark)
    if (reaches) hours.forEach(add)
  }
  if (!samePosition(tidemark, state.tidemark)) state.dirtyHours.forEach(add)
  state.damagedHours?.forEach(add)
  return (date) => new Set(dirty.get(date))
}

/** All hours of the cells that hold `hours`: a cell of a day is computed of its whole day. */
function wholeBuckets({ bucketMs }: View, date: string, hours: Iterable<string>): Iterable<string> {
  return bucketMs <= HOUR_MS || [...hours].length === 0 ? hours : hoursOfDate(date)
}

function columnNames(view: View): string {
  return viewColumns(view)
    .map(({ name }) => name)
    .join()
}

function hoursOfDate(date: string): string[] {
  return Array.from({ length: 24 }, (_, hour) => `${date}T${String(hour).padStart(2, '0')}`)
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
