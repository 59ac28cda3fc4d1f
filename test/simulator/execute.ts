import { drain } from '../sim/incarnation.ts'
import { simRandom } from '../sim/random.ts'
import { ACTIONS, type Action, type ActionName } from './actions.ts'
import { Bookkeeping } from './bookkeeping.ts'
import { checkAnswers, rangesAt } from './check.ts'
import { Dice } from './dice.ts'
import { SERVICES } from './fleet.ts'
import { checkLimits } from './limits.ts'
import type { Simulation } from './simulation.ts'
import type { Plan, Step } from './step.ts'

/** One answer in so many calls of ports is checked between two steps of the process. */
const CALLS_PER_PROBE = 40

/** Executes the steps of a plan, checking after each, and now and then between two calls of ports. */
export class Executor {
  readonly #sim: Simulation
  readonly #books: Bookkeeping
  readonly #probes: ReturnType<typeof simRandom>

  constructor(sim: Simulation, plan: Plan) {
    this.#sim = sim
    this.#books = new Bookkeeping(sim.world)
    this.#probes = simRandom(plan.seed + 0.5)
    sim.world.between = () => this.#probe()
  }

  async start(): Promise<void> {
    const { world, fleet } = this.#sim
    await world.start()
    if (world.config.node) await world.startNode()
    await fleet.startAgent(0, { skewMs: 0, spooled: true, death: 'process' })
    await drain()
  }

  async step({ number, action: name, seed }: Step): Promise<void> {
    const sim = this.#sim
    const dice = new Dice(seed)
    const action: Action = ACTIONS[name as ActionName]
    if (!sim.world.up && dice.float() < 0.8) await this.#restart(dice)
    const idle = action.up === true && !sim.world.up
    const said = idle ? 'nothing, for the process is down' : await action.act(sim, dice)
    sim.world.trace.say(`${number}. ${name}: ${said}`)
    sim.tally.steps += 1
    await drain()
    await this.#bury()
    await this.check()
  }

  async #restart(dice: Dice): Promise<void> {
    const fuse = dice.float() < 0.1 ? 1 + dice.below(60) : undefined
    this.#sim.world.trace.say(fuse === undefined ? 'start' : `start, dies after ${fuse} calls`)
    const up = await this.#sim.world.start(fuse)
    if (!up) await this.#sim.crash('process')
  }

  /** A process whose fuse burnt is dead; the system now takes note. */
  async #bury(): Promise<void> {
    const { world, nextDeath } = this.#sim
    if (world.life?.alive !== false || world.parts === null) return
    world.trace.say(`the process died (${nextDeath})`)
    await this.#sim.crash(nextDeath)
  }

  #probe(): void {
    const sim = this.#sim
    if (!sim.world.up || sim.world.broken !== null || this.#probes.float() > 1 / CALLS_PER_PROBE) return
    try {
      checkLimits(sim)
      const ranges = rangesAt(sim.world)
      const at = Math.floor(this.#probes.float() * ranges.length)
      const key = SERVICES[Math.floor(this.#probes.float() * SERVICES.length)]!
      checkAnswers(sim, sim.world.parts!.answers, { freshMs: sim.freshMs(), ranges: [ranges[at]!], key })
    } catch (error) {
      sim.world.broken = error
    }
  }

  async check(): Promise<void> {
    const sim = this.#sim
    const { world } = sim
    world.throwIfBroken()
    const ranges = rangesAt(world)
    if (world.up) checkAnswers(sim, world.parts!.answers, { freshMs: sim.freshMs(), ranges })
    if (world.node?.life.alive)
      checkAnswers(sim, world.node.answers, { freshMs: null, ranges: ranges.slice(0, 1) })
    const lost = sim.fleet.lostMessages()
    if (lost.length > 0) throw new Error(lost.slice(0, 4).join('; '))
    checkLimits(sim)
    await this.#books.check()
  }
}
