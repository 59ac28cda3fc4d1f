import { toLine } from '../../../schemas/message.ts'
import { HOUR_MS } from '../../../schemas/time.ts'
import { scores } from '../../schemas/nasty-messages.ts'
import { drain } from '../../sim/incarnation.ts'
import { badNumberedLine } from '../bad-lines.ts'
import type { Dice } from '../dice.ts'
import { HOSTS, SERVICES } from '../fleet.ts'
import { shapedLine } from '../line-shapes.ts'
import type { Sender } from '../sender.ts'
import type { Simulation } from '../simulation.ts'

export async function send(sim: Simulation, dice: Dice, late: boolean): Promise<string> {
  const sender = dice.pick(sim.fleet.senders)
  const count = 1 + dice.below(8)
  const nowMs = sim.world.clock.nowMs()
  for (let i = 0; i < count; i++) {
    const backMs = late ? dice.pick([61_000, HOUR_MS, 25 * HOUR_MS, 40 * 24 * HOUR_MS]) : dice.below(2_000)
    make(sim, sender, dice, nowMs - backMs)
  }
  if (late) sim.tally.late += count
  await sendNew(sim, sender)
  return `${sender.agent} sends ${count}${late ? ' late ones' : ''}`
}

function make(sim: Simulation, sender: Sender, dice: Dice, timeMs: number): void {
  const gauges = [dice.below(4), dice.below(4) / 8, dice.pick([0, 1e15, 0.1, 5e-324, 100 * dice.float()])]
  if (dice.below(SCORES_ONE_IN) === 0) {
    makeScore(sim, sender, dice, timeMs)
    return
  }
  const message = { names: [dice.pick(SERVICES), dice.pick(HOSTS)], timeMs, gauges }
  const made = sender.make(message, (numbered) => shapedLine(numbered, dice.float))
  sim.world.oracle.noteSent(made)
}

/** One in so many messages is of the other dataset. */
const SCORES_ONE_IN = 5

function makeScore(sim: Simulation, sender: Sender, dice: Dice, timeMs: number): void {
  const optional = () => dice.pick([Number.NaN, -1, 0, 2.5])
  const message = {
    names: [dice.pick(['A', 'B']), dice.pick(['yes', 'no'])],
    timeMs,
    gauges: [dice.below(4) - 1, optional(), optional()],
    attributes: [dice.pick([null, 'x', 'é'])],
  }
  sim.world.oracle.noteSent(sender.make(message, (numbered) => toLine(scores, numbered)))
}

async function sendNew(sim: Simulation, sender: Sender): Promise<void> {
  if (sender.connected) sender.sendNew()
  else await sim.connect(sender)
  await drain()
}

/** A sender comes back and resends what was acknowledged long ago. */
export async function repeat(sim: Simulation, dice: Dice): Promise<string> {
  const sender = dice.pick(sim.fleet.senders)
  const share = dice.float()
  await sim.connect(sender, share)
  return `${sender.agent} reconnects and resends from ${Math.round(share * 100)} % of what is durable`
}

export async function lines(sim: Simulation, dice: Dice, vanish: boolean): Promise<string> {
  const count = 1 + dice.below(6)
  const sent = await sim.fleet.sendLines(dice.float, count)
  if (sent === null) return 'nobody takes unnumbered lines'
  if (vanish && dice.float() < 0.5) {
    await drain()
    sent.vanish()
    return `${count} unnumbered lines, the last one cut short`
  }
  sent.finish()
  await drain()
  return `${count} unnumbered lines`
}

export async function badNumbered(sim: Simulation, dice: Dice): Promise<string> {
  const sender = dice.pick(sim.fleet.senders)
  make(sim, sender, dice, sim.world.clock.nowMs())
  sender.makeBad((seq) => badNumberedLine(seq, dice.float()))
  await sendNew(sim, sender)
  return `${sender.agent} sends a good and a bad one`
}
