import type { DataFile, Table } from '../lake/delta/port.ts'
import { decodeCells, describeCells, encodeCells } from '../lake/parquet/cells.ts'
import { hourName, hourStartMs, hoursOf } from '../lake/tables/hours.ts'
import { offsetsOf } from '../lake/tables/messages.ts'
import type { CellRow } from '../schemas/cell.ts'
import { describeError, isError } from '../schemas/errors.ts'
import type { Gap } from '../schemas/position.ts'
import { HOUR_MS } from '../schemas/time.ts'
import { compareUtf8 } from '../schemas/utf8.ts'
import type { Engine } from './engines/engine.ts'
import type { DatePlan, RunPlan } from './plan.ts'

/** What executing a plan made: files that are written and not yet part of any version. */
export interface Executed {
  readonly add: DataFile[]
  readonly remove: string[]
  readonly rows: number
  /** Hours that keep older cells because a file of theirs could not be read, and what is missing. */
  readonly damagedHours: string[]
  readonly gaps: Gap[]
}

export interface ExecuteDeps {
  readonly engine: Engine
  readonly messages: Table
  readonly viewTable: Table
  /** Throws when the run must stop. */
  proceed(): void
  /** Told after each date. */
  progress(done: number, total: number): void
  logLine(line: string): void
}

/** Executes the dates of a plan one after the other. */
export async function execute(plan: RunPlan, deps: ExecuteDeps): Promise<Executed> {
  const done: Executed & { rows: number } = { add: [], remove: [], rows: 0, damagedHours: [], gaps: [] }
  for (const [i, date] of plan.dates.entries()) {
    deps.proceed()
    deps.progress(i, plan.dates.length)
    const readable = await withoutDamage(date, deps, done)
    if (readable.hours.length === 0) continue
    const cells = await cellsOf(plan, readable, deps)
    deps.proceed()
    if (date.base) done.remove.push(date.base.path)
    if (cells.length === 0) continue
    const about = describeCells(plan.view, cells, { date: date.date })
    done.add.push(await deps.viewTable.writeFile(encodeCells(plan.view, cells), about))
    done.rows += cells.length
  }
  return done
}

/** The date's cells: recomputed hours, and all others as they were. */
async function cellsOf(plan: RunPlan, date: DatePlan, deps: ExecuteDeps): Promise<CellRow[]> {
  const partials = []
  for (const { files } of date.maps) {
    deps.proceed()
    if (files.length > 0) partials.push(await deps.engine.map(files, date.hours, plan.tidemark))
  }
  const computed = await deps.engine.reduce(partials)
  if (date.base === null || date.hours.length === 24) return computed
  const again = new Set(date.hours)
  const carried = (await baseCells(plan, date.base, deps)).filter(
    ({ minuteMs }) => !again.has(hourName(minuteMs)),
  )
  return [...computed, ...carried].sort((a, b) => compareUtf8(a.key, b.key) || a.minuteMs - b.minuteMs)
}

/**
 * Throws `E_FILE_DAMAGED`, unless everything is recomputed: then only hours whose messages are damaged as well would be
 * carried, and these are gaps already.
 */
async function baseCells(plan: RunPlan, base: DataFile, deps: ExecuteDeps): Promise<CellRow[]> {
  try {
    return await decodeCells(plan.view, await deps.viewTable.readFile(base))
  } catch (error) {
    if (!plan.full || !isError(error, 'E_FILE_DAMAGED')) throw error
    deps.logLine(`batch: ${describeError(error)}; what it alone held is lost`)
    return []
  }
}

/** The plan of a date without the hours of files that cannot be read: those keep their cells. */
async function withoutDamage(
  date: DatePlan,
  deps: ExecuteDeps,
  done: Pick<Executed, 'damagedHours' | 'gaps'>,
): Promise<DatePlan> {
  const damaged = new Set<DataFile>()
  for (const file of date.maps.flatMap(({ files }) => files)) {
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
