import type { DataFile, Table } from '../lake/delta/port.ts'
import { hourStartMs, hoursOf } from '../lake/tables/hours.ts'
import { offsetsOf } from '../lake/tables/messages.ts'
import { describeError, isError } from '../schemas/errors.ts'
import type { Amount } from '../schemas/ports/layers.ts'
import type { Gap } from '../schemas/position.ts'
import { HOUR_MS } from '../schemas/time.ts'
import { coversDate, type Engine } from './engines/engine.ts'
import { withFrozen } from './frozen.ts'
import type { DatePlan, RunPlan } from './plan.ts'
import { dateGap } from './report.ts'
import { type DateWork, type Work, workName } from './work.ts'

/** What executing a plan made: files that are written and not yet part of any version. */
export interface Executed {
  readonly add: DataFile[]
  readonly remove: string[]
  readonly rows: number
  /** Files of messages that were read, and files of the version before that hours were carried from. */
  readonly mapped: Amount
  readonly carried: Amount
  /** Dates that were not computed, because a run before had done so. */
  readonly reused: number
  /** Hours that keep older cells because a file of theirs could not be read, and what is missing. */
  readonly damagedHours: string[]
  readonly gaps: Gap[]
}

export interface ExecuteDeps {
  readonly engine: Engine
  readonly engineName: string
  readonly work: Work
  readonly messages: Table
  readonly viewTable: Table
  readonly frozenTable: Table
  /** Aborts when the run must stop; its reason is thrown. */
  readonly signal: AbortSignal
  /** Told after each date. */
  progress(done: number, total: number): void
  logLine(line: string): void
}

/**
 * Executes the dates of a plan, as many at a time as the engine likes. When one fails, or the run must stop, the others are
 * ended too; none goes on when it throws.
 */
export async function execute(plan: RunPlan, deps: ExecuteDeps): Promise<Executed> {
  const done: Executing = {
    ...{ add: [], remove: [], rows: 0, damagedHours: [], gaps: [] },
    ...{ mapped: NOTHING, carried: NOTHING, reused: 0 },
  }
  const failed = new AbortController()
  const signal = AbortSignal.any([deps.signal, failed.signal])
  const waiting = [...plan.dates]
  let computed = 0
  async function work() {
    try {
      for (let date = waiting.shift(); date !== undefined; date = waiting.shift()) {
        signal.throwIfAborted()
        await executeDate(plan, date, { ...deps, signal }, done)
        deps.progress(++computed, plan.dates.length)
      }
    } catch (error) {
      failed.abort(error)
    }
  }
  deps.progress(0, plan.dates.length)
  await Promise.all(Array.from({ length: deps.engine.dates }, work))
  signal.throwIfAborted()
  await deps.work.kept()
  // The commit is the same whichever date was faster.
  done.add.sort((a, b) => (a.partition.date! < b.partition.date! ? -1 : 1))
  done.remove.sort()
  return done
}

async function executeDate(plan: RunPlan, date: DatePlan, deps: ExecuteDeps, done: Executing): Promise<void> {
  const work = (await doneBefore(plan, date, deps)) ?? (await computeDate(plan, date, deps, done))
  if (work === null) return
  if (work.isReused) done.reused++
  if (date.base) done.remove.push(date.base.path)
  if (work.file === null) return
  done.add.push(work.file)
  done.rows += work.file.rows
}

/** What a run before made of the date, of exactly what is planned now; null when there is none, or its file is damaged. */
async function doneBefore(plan: RunPlan, date: DatePlan, { work, engineName, viewTable }: ExecuteDeps) {
  const kept = await work.take(workName(plan, date, engineName))
  if (kept === null) return null
  try {
    if (kept.file !== null) await viewTable.verify(kept.file)
    return { ...kept, isReused: true }
  } catch (error) {
    if (isError(error, 'E_FILE_DAMAGED')) return null
    throw error
  }
}

/** Computes the date and keeps its work; null when no hour of it can be computed. */
async function computeDate(
  plan: RunPlan,
  date: DatePlan,
  deps: ExecuteDeps,
  done: Executing,
): Promise<(DateWork & { readonly isReused: boolean }) | null> {
  const { engine, engineName, signal, viewTable, work } = deps
  const compute = async (readable: DatePlan) => {
    const base = await usableBase(plan, readable, deps)
    if (readable.hours.length === 0 && !plan.replaces) return null
    const cells = await engine.compute({ ...readable, base }, plan.tidemark, signal)
    return { readable, base, made: await withFrozen(cells, plan.view, readable, deps.frozenTable) }
  }
  const computed = engine.verifies
    ? await compute(date).catch(async (error) => {
        // Which file, and whether it is one of this date, is found out here.
        if (!isError(error, 'E_FILE_DAMAGED')) throw error
        return compute(await withoutDamage(date, deps, done))
      })
    : await compute(await withoutDamage(date, deps, done))
  signal.throwIfAborted()
  if (computed === null) return null
  const { readable, base, made } = computed
  const file = made === null ? null : await viewTable.writeFile(made.bytes, made.about)
  // What lacks a damaged file is to be tried again by the next run.
  if (readable === date) await work.keep(workName(plan, date, engineName), { file })
  done.mapped = amountOf(
    readable.maps.flatMap(({ files }) => files),
    done.mapped,
  )
  if (base !== null) done.carried = amountOf([base], done.carried)
  return { file, isReused: false }
}

const NOTHING: Amount = { files: 0, rows: 0, bytes: 0 }

type Executing = { -readonly [field in keyof Executed]: Executed[field] }

/** Files with their rows and bytes, on top of what was counted before. */
export function amountOf(files: Iterable<DataFile>, before: Amount = NOTHING): Amount {
  let { files: count, rows, bytes } = before
  for (const file of files) {
    count += 1
    rows += file.rows
    bytes += file.size
  }
  return { files: count, rows, bytes }
}

/**
 * The file that a date's other hours are carried from. Throws `E_FILE_DAMAGED`, unless everything is recomputed: then only
 * hours whose messages are damaged as well would be carried, and these are gaps already. A file of other columns is none.
 */
async function usableBase(plan: RunPlan, date: DatePlan, deps: ExecuteDeps): Promise<DataFile | null> {
  if (date.base === null || coversDate(date) || plan.replaces) return null
  try {
    await deps.viewTable.verify(date.base)
    return date.base
  } catch (error) {
    if (!plan.full || !isError(error, 'E_FILE_DAMAGED')) throw error
    deps.logLine(`batch: ${describeError(error)}; what it alone held is lost`)
    return null
  }
}

/** The plan of a date without the hours of files that cannot be read: those keep their cells. */
async function withoutDamage(
  date: DatePlan,
  deps: ExecuteDeps,
  done: Pick<Executed, 'damagedHours' | 'gaps'>,
): Promise<DatePlan> {
  for (const { file } of date.frozen) {
    const reason = await damageOf(file, deps.frozenTable)
    if (reason === null) continue
    deps.logLine(`batch: ${reason}; the date keeps the cells of the version before`)
    done.damagedHours.push(...date.hours)
    done.gaps.push(dateGap(date.date, reason))
    return { ...date, hours: [], maps: [] }
  }
  const damaged = new Set<DataFile>()
  for (const file of date.maps.flatMap(({ files }) => files)) {
    deps.signal.throwIfAborted()
    const reason = await damageOf(file, deps.messages)
    if (reason === null) continue
    deps.logLine(`batch: ${reason}; its hours keep the cells of the version before`)
    damaged.add(file)
    done.gaps.push(...gapsOf(file, reason))
  }
  if (damaged.size === 0) return date
  const lost = new Set([...damaged].flatMap(hoursOf))
  done.damagedHours.push(...date.hours.filter((hour) => lost.has(hour)))
  return {
    ...date,
    hours: date.hours.filter((hour) => !lost.has(hour)),
    maps: date.maps.map(({ files }) => ({ files: files.filter((file) => !damaged.has(file)) })),
  }
}

async function damageOf(file: DataFile, messages: Table): Promise<string | null> {
  try {
    await messages.verify(file)
    return null
  } catch (error) {
    if (isError(error, 'E_FILE_DAMAGED')) return describeError(error)
    throw error
  }
}

/**
 * The log times of a file's rows are not known; the whole hours that it holds stand for them, for these keep older cells,
 * and so lack what other files hold of them too.
 */
function gapsOf(file: DataFile, reason: string): Gap[] {
  const starts = hoursOf(file).map(hourStartMs)
  const fromMs = Math.min(...starts)
  const toMs = Math.max(...starts) + HOUR_MS
  return Object.entries(offsetsOf(file)).map(([partition, [first, last]]) => {
    return { partition: Number(partition), from: first - 1, to: last, fromMs, toMs, reason }
  })
}
