import { expireMessages } from '../../../lake/expire/expire.ts'
import type { KeepRule } from '../../../lake/expire/keep.ts'
import { removeUnfinished } from '../../../lake/expire/unfinished.ts'
import type { DatasetTables } from '../../../lake/tables/deployment.ts'
import { viewState } from '../../../lake/tables/published.ts'
import type { Message } from '../../../schemas/message.ts'
import { offsetIn, type Position } from '../../../schemas/position.ts'
import { DAY_MS, HOUR_MS, utcDate } from '../../../schemas/time.ts'
import type { Place } from '../amendments.ts'
import type { Command } from '../compose.ts'
import type { Dice } from '../dice.ts'
import { PARTED, SERVICES } from '../fleet.ts'
import { rowsOf } from '../message-rows.ts'
import type { Simulation } from '../simulation.ts'
import { send } from './messages.ts'

/** As the hourly expiry does it, with another `lake.keep` each time; some messages come as late as what it is about. */
export async function expire(sim: Simulation, dice: Dice): Promise<string> {
  const sent = dice.float() < 0.5 ? `${await send(sim, dice, true)}; ` : ''
  return `${sent}${beginExpiry(sim, dice)}`
}

/** Of which messages: dataset and service, null: of all. */
type Of = readonly [dataset: string | null, service: string | null]
const ALL: Of = [null, null]
const SCORES: Of = ['scores', 'A']

function beginExpiry(sim: Simulation, dice: Dice): string {
  const keepMs = dice.pick([HOUR_MS, HOUR_MS, DAY_MS, 30 * DAY_MS])
  const [dataset, service] = sim.world.config.parted
    ? dice.pick([['host', dice.pick(PARTED.expire)], ['host', dice.pick(PARTED.expire)], SCORES])
    : dice.pick([ALL, ALL, ['host', null], ['host', dice.pick(SERVICES)], SCORES])
  const rule = { dataset, service, keepMs }
  const unfinishedMs = dice.pick([undefined, 0])
  const what = `expiry of ${service ?? dataset ?? 'all'} after ${keepMs / HOUR_MS} h`
  return sim.beginCommand(what, dice, async (command) => {
    for (const tables of command.tables.datasets) {
      const removed = await removeUnfinished(tables, command.clock, unfinishedMs)
      if (removed.length > 0) sim.world.trace.say(`  unfinished: ${removed.map(({ table }) => table).join()}`)
      await expireDataset(sim, rule, command, tables)
    }
    if (sim.world.up) sim.beginRun(dice.float() < 0.3, 'first')
  })
}

/** Expires what the rule says of a dataset; what was published before must be gone then. */
async function expireDataset(
  sim: Simulation,
  rule: KeepRule & { readonly keepMs: number },
  { clock }: Command,
  tables: DatasetTables,
): Promise<void> {
  const { world } = sim
  const seen = watched(tables)
  const real = world.tables.all.datasets.find((one) => one.dataset.name === tables.dataset.name)!
  const before = { upTo: await publishedTo(real), date: await lastDate(sim, real, rule) }
  const random = {
    ...world.random,
    hex(bytes: number) {
      const id = world.random.hex(bytes)
      note(sim, rule, tables, id, seen.upTo())
      return id
    },
  }
  const done = ({ date, rows }: { date: string; rows: number }) => {
    world.trace.say(`  expired: ${rows} rows of ${tables.dataset.name} on ${date}`)
    sim.tally.expiries += 1
  }
  const { signal } = new AbortController()
  await expireMessages(seen.tables, { keep: [rule], isDry: false, done }, { clock, random, signal })
  const date = [before.date, await lastDate(sim, real, rule)].sort()[0]!
  await checkGone(sim, rule, real, { upTo: before.upTo, date })
}

/** Notes what an expiry is about, before it commits: of the date that it then names, what the rule says and all views had published. */
function note(
  sim: Simulation,
  rule: KeepRule & { readonly keepMs: number },
  { dataset, views }: DatasetTables,
  id: string,
  upTo: Position,
): void {
  sim.world.oracle.amendments!.note({
    dataset: dataset.name,
    app: `expire/${id}`,
    views: views.map(({ view }) => view),
    expires(message, place, dates) {
      const date = utcDate(message.timeMs)
      if (!dates.has(date)) return false
      if (Date.parse(date) + DAY_MS + rule.keepMs > sim.latestMs())
        throw new Error(`${date} expired too early`)
      return isOver(rule, dataset.name, message) && isPublished(place, upTo)
    },
  })
}

function isOver(rule: KeepRule, dataset: string, { names }: Message): boolean {
  return (rule.dataset ?? dataset) === dataset && (rule.service ?? names[0]) === names[0]
}

function isPublished({ partition, offset }: Place, upTo: Position): boolean {
  return partition < 0 || offset <= offsetIn(upTo, partition)
}

/** The tables as an expiry has them, and up to where all the views were published that it last saw. */
function watched(tables: DatasetTables): { tables: DatasetTables; upTo(): Position } {
  const tidemarks = new Map<string, Position>()
  const views = tables.views.map((one) => ({
    ...one,
    published: new Proxy(one.published, {
      get(target, name) {
        const value = Reflect.get(target, name, target)
        if (name !== 'snapshot') return typeof value === 'function' ? value.bind(target) : value
        return async () => {
          const snapshot = await target.snapshot()
          tidemarks.set(one.view.name, viewState(snapshot)?.tidemark ?? {})
          return snapshot
        }
      },
    }),
  }))
  return { tables: { ...tables, views }, upTo: () => lowest([...tidemarks.values()]) }
}

async function publishedTo({ views }: DatasetTables): Promise<Position> {
  const snapshots = await Promise.all(views.map(({ published }) => published.snapshot()))
  return lowest(snapshots.map((snapshot) => viewState(snapshot)?.tidemark ?? {}))
}

/** What is at or below all of the positions. */
function lowest(positions: readonly Position[]): Position {
  const partitions = new Set(positions.flatMap((one) => Object.keys(one).map(Number)))
  return Object.fromEntries(
    [...partitions].map((p) => [p, Math.min(...positions.map((one) => offsetIn(one, p)))]),
  )
}

/** The last date that is over for so long, as the table has it whose newest commit may lie behind the clock. */
async function lastDate(
  { world }: Simulation,
  { messages }: DatasetTables,
  { keepMs }: { keepMs: number },
): Promise<string> {
  const nowMs = Math.min(world.clock.nowMs(), (await messages.snapshot())?.timeMs ?? 0)
  return utcDate(nowMs - keepMs - DAY_MS)
}

async function checkGone(
  sim: Simulation,
  rule: KeepRule,
  { dataset, messages }: DatasetTables,
  { upTo, date }: { upTo: Position; date: string },
): Promise<void> {
  const newest = await messages.snapshot()
  if (newest === null || sim.damagedHours.size > 0) return
  for (const [at, message] of await rowsOf(dataset, messages, newest)) {
    const [partition, offset] = at.split('/').map(Number) as [number, number]
    if (partition < 0 || offset > offsetIn(upTo, partition)) continue
    if (utcDate(message.timeMs) <= date && isOver(rule, dataset.name, message))
      throw new Error(`expired, and version ${newest.version} of ${messages.name} holds ${at}`)
  }
}
