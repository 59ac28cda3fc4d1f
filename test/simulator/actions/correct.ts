import { type Correction, correct } from '../../../lake/correct.ts'
import type { DatasetTables } from '../../../lake/tables/deployment.ts'
import { coveredPosition } from '../../../lake/tables/messages.ts'
import { type Message, messageAt } from '../../../schemas/message.ts'
import { offsetIn } from '../../../schemas/position.ts'
import { HOUR_MS, utcDate } from '../../../schemas/time.ts'
import type { Place } from '../amendments.ts'
import type { Dice } from '../dice.ts'
import type { Simulation } from '../simulation.ts'

const ROWS_MAX = 4

/** A message that is to be corrected, and as what. */
interface Corrected {
  readonly place: Place
  readonly from: Message
  readonly to: Message
}

/** As `tidemark correct` does it, by (agent, seq) or by names and time. */
export function correctRows(sim: Simulation, dice: Dice): string {
  const { world } = sim
  const amended = dice.pick(world.tables.all.datasets)
  const { dataset } = amended
  sim.corrections += 1
  const name = `correction ${sim.corrections}`
  return sim.beginCommand(`${name} of ${dataset.name}`, dice, async ({ clock, tables }) => {
    const chosen = await choose(sim, dice, amended)
    if (chosen.length === 0) return
    const rows = chosen.map(
      ({ to }, i): Correction => ({ ...to, row: i + 1, attributes: to.attributes ?? [] }),
    )
    world.oracle.amendments!.note({
      dataset: dataset.name,
      app: `correct/${name}`,
      amend(message, place, dates) {
        if (!dates.has(utcDate(message.timeMs))) return message
        const { agent, seq } = message
        const to = chosen.find((one) => isOf(one, message, place))?.to
        return to === undefined ? message : { ...to, agent, seq }
      },
    })
    const own = tables.datasets.find((one) => one.dataset.name === dataset.name)!
    const deps = { dataset, messages: own.messages, clock, signal: new AbortController().signal }
    const done = await correct(rows, { name, sha256: name, isDry: false }, deps)
    world.trace.say(`  ${name}: ${done.rows} rows, refused ${JSON.stringify(done.refused)}`)
    sim.tally.corrections += done.rows
    if (world.up) sim.beginRun(false, 'first')
  })
}

function isOf({ place, from, to }: Corrected, message: Message, { partition, offset }: Place): boolean {
  if (place.partition !== partition || place.offset !== offset) return false
  return to.agent === null ? nameOf(message) === nameOf(from) : idOf(message) === idOf(to)
}

const nameOf = ({ names, timeMs }: Message) => JSON.stringify([names, timeMs])
const idOf = ({ agent, seq }: Message) => JSON.stringify([agent, seq])

/** Some messages that are in the lake, each of which no other shares its name or id with, and what they are to be. */
async function choose(
  sim: Simulation,
  dice: Dice,
  { dataset, messages: table }: DatasetTables,
): Promise<Corrected[]> {
  const { oracle } = sim.world
  const snapshot = await table.snapshot()
  if (snapshot === null) return []
  const covered = coveredPosition(snapshot)
  oracle.amendments!.look()
  const known: { place: Place; from: Message }[] = []
  const counts = new Map<string, number>()
  for (const block of oracle.blocks) {
    const { messages, partition, offset } = block
    if (messages.form.dataset !== dataset.name) continue
    for (let i = 0; i < messages.length; i++) {
      const first = messageAt(messages, i)
      const from = oracle.amendments!.message(messages, i, block, snapshot.version)
      const keys = new Set([nameOf(first), idOf(first), nameOf(from ?? first)])
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
      if (from !== null && offset <= offsetIn(covered, partition)) known.push({ place: block, from })
    }
  }
  const own = ({ from }: { from: Message }) =>
    counts.get(nameOf(from)) === 1 && (from.agent === null || counts.get(idOf(from)) === 1)
  const candidates = known.filter(own)
  const chosen = new Map<Message, Corrected>()
  for (let i = 0; i < ROWS_MAX && candidates.length > 0; i++) {
    const { place, from } = dice.pick(candidates)
    chosen.set(from, { place, from, to: corrected(from, dice.pick(candidates).from, dice) })
  }
  return [...chosen.values()]
}

/** What a message named by its id may be: of another key and time too, on the same date. */
function corrected(from: Message, other: Message, dice: Dice): Message {
  const gauges = from.gauges.map(() => dice.below(40) / 8)
  const attributes = from.attributes?.map(() => dice.pick([null, 'corrected']))
  const to = { ...from, gauges, ...(attributes && { attributes }) }
  if (from.agent === null || dice.float() < 0.4) return { ...to, agent: null, seq: null }
  const timeMs = from.timeMs + dice.pick([0, 60_000, HOUR_MS])
  const names = [other.names[0]!, ...from.names.slice(1)]
  return { ...to, names, timeMs: utcDate(timeMs) === utcDate(from.timeMs) ? timeMs : from.timeMs }
}
