import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import { type History, messagesOf, writeLateHour } from '../lake/history.ts'
import { makeLake, withBegunData } from '../lake/made.ts'
import { type BatchRun, runBatch } from './command.ts'
import { type Rounds, sameCells, startFloor, statementsFor } from './rounds.ts'

/**
 * Recompute: `tidemark batch --once`, a process of its own each time, against SQL written by hand that writes the same files,
 * turn by turn on the same lake. Three shapes: many messages a cell, one message a cell, and one hour of a long history to
 * which messages came late.
 */
const MINUTES = 1_440
const START_MS = Date.UTC(2025, 0, 1)
const SERVICES = 20
/** The hour to which messages come late. */
const LATE_HOUR = 13

/** 10 million messages, 115,200 cells of services; `share` makes all shapes smaller. */
export function manyMessages(share: number): History {
  return {
    services: SERVICES,
    hosts: 400,
    days: share < 1 ? 1 : 4,
    messagesADay: Math.round(2_500_000 * share),
    startMs: START_MS,
  }
}

/** Every service has one host that sends a message a minute: as many cells as messages. */
export function oneMessage(days: number, services = SERVICES): History {
  return { services, hosts: services, days, messagesADay: services * MINUTES, startMs: START_MS }
}

export interface Shapes {
  readonly full: readonly { readonly name: string; readonly history: History }[]
  /** Histories of different length; none leaves that shape out. */
  readonly late: readonly History[]
}

export const SHAPES = ['many', 'one', 'late'] as const
export type ShapeName = (typeof SHAPES)[number]

/** The shapes that people ask for by name. `share` up to 1 makes them smaller. */
export function shapesOf(names: readonly ShapeName[], share: number): Shapes {
  const days = (full: number) => Math.ceil(full * share)
  const all = {
    many: { name: 'many messages a cell', history: manyMessages(share) },
    one: { name: 'one message a cell', history: oneMessage(days(30)) },
  }
  const full = names.flatMap((name) => (name === 'late' ? [] : [all[name]]))
  const lengths = [...new Set([1, 7, 30, 90, 365].map(days))]
  return { full, late: names.includes('late') ? lengths.map((length) => oneMessage(length)) : [] }
}

export interface FullRecompute extends Rounds {
  readonly name: string
  readonly messages: number
}

/** With one late hour in the middle of the history. */
export interface LateRecompute extends Rounds {
  readonly days: number
}

export interface Recompute {
  readonly full: readonly FullRecompute[]
  readonly late: readonly LateRecompute[]
}

export async function benchRecompute({ full, late }: Shapes, rounds: number): Promise<Recompute> {
  return await withBegunData(START_MS, async (dir, begun, db) => {
    const place = { begun, data: join(dir, 'data'), hand: join(dir, 'hand'), db }
    const results: FullRecompute[] = []
    for (const { name, history } of full) {
      results.push({ name, ...(await recomputeAll(place, history, rounds)) })
      await rm(place.data, { recursive: true })
    }
    return { full: results, late: await recomputeLate(place, late, rounds) }
  })
}

interface Place {
  readonly begun: string
  readonly data: string
  readonly hand: string
  readonly db: DuckDBConnection
}

async function recomputeAll({ begun, data, hand, db }: Place, history: History, rounds: number) {
  const lake = await makeLake(db, begun, data, history)
  // The first run publishes it all; small files of messages are merged behind it.
  await runBatch(data, { full: true })
  using floor = await startFloor()
  const runs: BatchRun[] = []
  const handMs: number[] = []
  const plainMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    plainMs.push(await floor.run(await statementsFor(lake, `${hand}-plain`, { sketches: false })))
    handMs.push(await floor.run(await statementsFor(lake, hand)))
    runs.push(await runBatch(data, { full: true }))
  }
  return {
    // The one that began the lake is counted too.
    messages: messagesOf(history) + 1,
    runs,
    handMs,
    plainMs,
    handPeakMib: await floor.peakMib(),
    hashes: await sameCells(db, lake, hand, history.startMs),
  }
}

/** All histories in turn, round by round: whatever slows the machine for a while slows each. */
async function recomputeLate(
  { begun, data, hand, db }: Place,
  histories: readonly History[],
  rounds: number,
): Promise<LateRecompute[]> {
  const lakes = []
  for (const history of histories) {
    const of = `${data}-${history.days}`
    lakes.push({ history, data: of, lake: await makeLake(db, begun, of, history), ...noRounds() })
    await runBatch(of, { full: true })
  }
  using floor = await startFloor()
  for (let round = 1; round <= rounds; round++) {
    for (const one of lakes) {
      const day = Math.floor(one.history.days / 2)
      await writeLateHour(db, one.lake, one.history, { day, hour: LATE_HOUR, round })
      const fromMs = START_MS + day * DAY_MS
      const date = new Date(fromMs).toISOString().slice(0, 10)
      const again = { date, hourMs: fromMs + LATE_HOUR * HOUR_MS }
      one.handMs.push(await floor.run(await statementsFor(one.lake, hand, { again })))
      one.runs.push(await runBatch(one.data, { full: false }))
      one.hashes = await sameCells(db, one.lake, hand, START_MS, date)
    }
  }
  const handPeakMib = await floor.peakMib()
  return lakes.map(({ history, runs, handMs, plainMs, hashes }) => {
    return { days: history.days, runs, handMs, plainMs, hashes, handPeakMib }
  })
}

const noRounds = () => ({
  runs: [] as BatchRun[],
  handMs: [] as number[],
  plainMs: [] as number[],
  hashes: {} as Rounds['hashes'],
})
