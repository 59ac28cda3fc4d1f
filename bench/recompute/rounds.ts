import type { ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { hashOfCells } from '../lake/cells.ts'
import { type LakeTable, readTable } from '../lake/delta.ts'
import { median } from '../measure.ts'
import { forkWith, messageOf, usageOf } from '../process.ts'
import type { BatchRun } from './command.ts'
import { copySql, FLOOR_VIEWS, type FloorView } from './floor-sql.ts'

/** A view that the product has published. */
export interface Published {
  readonly view: FloorView
  readonly table: LakeTable
  /** Of its files: all but the column of the partition. */
  readonly columns: readonly string[]
}

/** The views of a lake. Throws when it has none. */
export async function publishedIn(lake: string): Promise<Published[]> {
  const all: Published[] = []
  for (const view of FLOOR_VIEWS) {
    const table = await readTable(join(lake, view.name))
    if (table === null || table.files.length === 0) continue
    all.push({ view, table, columns: table.columns.filter((name) => name !== 'date') })
  }
  if (all.length === 0) throw new Error(`no view is published in ${lake}`)
  return all
}

/** The process that carries out what was written by hand. */
export async function startFloor() {
  const child: ChildProcess = forkWith(new URL('floor.ts', import.meta.url), {})
  await messageOf(child)
  return {
    async run(statements: readonly string[]): Promise<number> {
      const done = messageOf<{ ms: number }>(child)
      child.send(statements)
      return (await done).ms
    },
    peakMib: async () => (await usageOf(child.pid!)).peakMib,
    [Symbol.dispose]: () => child.disconnect(),
  }
}

interface FloorAbout {
  /** A date in which one hour is new; absent: every date is. */
  readonly again?: { readonly date: string; readonly hourMs: number }
  /** False leaves the sketches out. */
  readonly sketches?: boolean
}

/** Statements that write the same files as the product has: of every view a file for each date. */
export async function statementsFor(
  lake: string,
  to: string,
  { again, sketches = true }: FloorAbout = {},
): Promise<string[]> {
  const messages = (await readTable(join(lake, 'messages')))!
  const statements: string[] = []
  for (const { view, table, columns: all } of await publishedIn(lake)) {
    const columns = sketches ? all : all.filter((name) => !name.endsWith('_sketch'))
    await mkdir(join(to, view.name), { recursive: true })
    for (const { date, path } of table.files) {
      if (again !== undefined && again.date !== date) continue
      const ofDate = messages.files.filter((file) => file.date === date).map((file) => file.path)
      const hour = again === undefined ? {} : { again: { hourMs: again.hourMs, others: path } }
      const files = { messages: ofDate, to: join(to, view.name, `${date}.parquet`), ...hour }
      statements.push(copySql(view, columns, files))
    }
  }
  return statements
}

/** Throws unless the product's files have the cells of those written by hand. Returns the hash of each view's cells. */
export async function sameCells(
  db: DuckDBConnection,
  lake: string,
  by: string,
  startMs: number,
  date?: string,
): Promise<{ readonly [view: string]: string }> {
  const hashes: { [view: string]: string } = {}
  for (const { view, table, columns } of await publishedIn(lake)) {
    const files = table.files.filter((file) => date === undefined || file.date === date)
    const hand = files.map((file) => join(by, view.name, `${file.date}.parquet`))
    const paths = files.map(({ path }) => path)
    const [theirs, own] = [
      await hashOfCells(db, paths, columns, startMs),
      await hashOfCells(db, hand, columns, startMs),
    ]
    if (theirs !== own)
      throw new Error(`${view.name}: the cells differ from those by hand: ${theirs}, ${own}`)
    hashes[view.name] = theirs
  }
  return hashes
}

/** Rounds of the product and of the floor, and what they came to. */
export interface Rounds {
  readonly runs: readonly BatchRun[]
  readonly handMs: readonly number[]
  /** By hand, of files that lack the sketches. */
  readonly plainMs: readonly number[]
  readonly handPeakMib: number
  readonly hashes: { readonly [view: string]: string }
}

export const runMs = ({ runs }: Rounds) => median(runs.map((run) => run.runMs))
export const commandMs = ({ runs }: Rounds) => median(runs.map((run) => run.commandMs))
export const handMs = (rounds: Rounds) => median(rounds.handMs)
export const plainMs = (rounds: Rounds) => median(rounds.plainMs)
export const peakMb = ({ runs }: Rounds) => (Math.max(...runs.map(({ peakMib }) => peakMib)) * 2 ** 20) / 1e6
