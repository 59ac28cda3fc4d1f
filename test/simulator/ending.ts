import { describeError } from '../../schemas/errors.ts'
import type { Gap } from '../../schemas/position.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import { drain } from '../sim/incarnation.ts'
import { checkBackups } from './backups.ts'
import type { Executor } from './execute.ts'
import { checkMessages } from './message-rows.ts'
import type { Simulation } from './simulation.ts'
import { IDLE_MS } from './site.ts'

/** Everything must be caught up with this long after the last fault. */
const CATCH_UP_MS = 4 * 60_000
const CLOSE_MS_MAX = 60_000
/** Silent clients that do not go by themselves. */
const STAYING = 4

/** The end of a simulation, when no more faults come. */
export class Ending {
  readonly #sim: Simulation
  readonly #executor: Executor

  constructor(sim: Simulation, executor: Executor) {
    this.#sim = sim
    this.#executor = executor
  }

  /** Faults over: everything is caught up with in bounded time, nothing acknowledged is missing, and all closes. */
  async run(): Promise<void> {
    const { world, fleet, tally } = this.#sim
    world.trace.say('no more faults')
    this.#sim.stopFaults()
    fleet.crowd.leave(STAYING)
    await drain()
    if (!world.up) await this.#startForGood()
    // An hour's wait for the next seal is spared: until it comes, the collector may take nothing.
    this.#sim.begin('seal', (parts) => parts.writer.seal())
    for (const sender of fleet.senders) if (!sender.connected) await this.#sim.connect(sender)
    // What a host's spool kept while an agent without one ran there is sent now.
    for (const [place, host] of fleet.hosts.entries())
      if (host !== undefined && !host.spooled)
        await fleet.startAgent(place, { skewMs: 0, spooled: true, death: 'process' })
    await world.clock.advance(CATCH_UP_MS / 2)
    for (const sender of fleet.senders) {
      if (sender.acked < sender.sent.length) await this.#sim.connect(sender)
      await world.clock.advance(5_000)
    }
    await this.#waitForClock()
    await this.#executor.check()
    this.#allSent()
    await this.#lastRun()
    await this.#lastErasures()
    await world.clock.advance(CATCH_UP_MS / 2)
    await this.#executor.check()
    await checkMessages(this.#sim)
    this.#allWell()
    await checkBackups(this.#sim)
    if (fleet.crowd.size > 0) await this.#silentOnesGo()
    await this.#closeAll()
    tally.blocks = world.oracle.blocks.length
    tally.virtualMs = world.clock.passedMs
  }

  /** Where the clock went back, senders that do not say what theirs shows keep what is ahead of it for an hour. */
  async #waitForClock(): Promise<void> {
    const { world, fleet } = this.#sim
    const waiting = fleet.senders.filter(({ acked, sent }) => acked < sent.length)
    if (waiting.length === 0 || fleet.refusableMs === Number.POSITIVE_INFINITY) return
    await world.clock.advance(HOUR_MS)
    for (const sender of waiting) {
      await this.#sim.connect(sender)
      await world.clock.advance(5_000)
    }
  }

  async #startForGood(): Promise<void> {
    await this.#sim.crash('process')
    if (!(await this.#sim.world.start()))
      throw new Error(`it does not start: ${this.#sim.world.lines.at(-1)}`)
  }

  #allSent(): void {
    for (const sender of this.#sim.fleet.senders) {
      const { agent, acked, sent, refused } = sender
      if (!this.#sim.fleet.cloned.has(agent) && acked < sent.length)
        throw new Error(`${agent} got ${acked} of ${sent.length} acknowledged`)
      const why = [...new Set(refused.values())].filter(
        (code) => code !== 'E_TIME' || this.#sim.fleet.refusableMs === Number.POSITIVE_INFINITY,
      )
      if (why.length > 0) throw new Error(`${agent} was refused: ${why.join()}`)
    }
    for (const [place, { agent }] of this.#sim.fleet.hosts.entries()) {
      const { state, queued } = agent.status()
      if (state !== 'connected' || queued > 1) throw new Error(`host-${place} is ${state}, ${queued} wait`)
    }
    const { flipped, damagedFiles, journalDeleted } = this.#sim
    const mayLack = flipped.size + damagedFiles > 0 || journalDeleted
    const missing = this.#sim.fleet.missingSamples()
    if (!mayLack && missing.length > 0 && this.#sim.fleet.refusableMs === Number.POSITIVE_INFINITY)
      throw new Error(missing.join('; '))
  }

  async #lastRun(): Promise<void> {
    const { parts } = this.#sim.world
    await parts!.speed.tick()
    // A run that a fault left behind ends first.
    const run = () => parts!.batch.run({ full: this.#sim.damagedFiles > 0 })
    const ended = await this.#finish('the last run', run)
    for (const { view, result, error } of ended) {
      this.#sim.world.trace.say(`last run of ${view}: ${result} ${error ?? ''}`)
      if (!['published', 'nothing_new', 'lost_race'].includes(result))
        throw new Error(`the last run of ${view} is ${result}: ${error}`)
    }
  }

  /** Erasures that wait go on, and end. */
  async #lastErasures(): Promise<void> {
    const { erasures } = this.#sim.world.parts!
    if (erasures === null) return
    this.#sim.vacuumed = true
    for (const { erasure } of await erasures.pending()) {
      const resume = () => erasures.resume(erasure, { vacuum: true })
      const ended = await this.#finish(`erasure ${erasure}`, resume)
      // What was cut off, or lost a race, left files that may be removed hours later only.
      const isOver =
        ended!.state === 'ended' || (ended!.erased && / files of .* are left$/.test(ended!.reason!))
      if (!isOver && this.#sim.damagedFiles === 0)
        throw new Error(`erasure ${erasure} never ends: ${ended!.reason}`)
    }
  }

  /** What `work` makes, while time passes. */
  async #finish<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { clock } = this.#sim.world
    const done: T[] = []
    const note = (got: T) => void done.push(got)
    work().then(note, (error) => this.#sim.world.trace.say(`  failed: ${what}: ${describeError(error)}`))
    for (let waitedMs = 0; done.length === 0 && waitedMs < CATCH_UP_MS; waitedMs += 1_000)
      await clock.advance(1_000)
    if (done.length === 0) throw new Error(`${what} is hanging`)
    return done[0]!
  }

  #allWell(): void {
    const { answers, speed, writer, journal, collector } = this.#sim.world.parts!
    for (const [name, { state, reason }] of Object.entries({
      serving: answers.status(),
      speed: speed.status(),
      'lake writer': writer.status(),
      journal: journal.state(),
      collector: collector.status(),
    })) {
      if (state !== 'ok') throw new Error(`${name} is ${state} long after the last fault: ${reason}`)
    }
    const range = { fromMs: 0, toMs: this.#sim.world.clock.nowMs() + DAY_MS }
    const damaged = this.#sim.flipped.size + this.#sim.damagedFiles > 0 || this.#sim.journalDeleted
    for (const { view } of answers.views()) {
      const { gaps: lasting } = answers.basis(view.name)
      const passing = answers.whole(view.name, range).gaps.filter((gap) => !isLasting(gap, lasting))
      if (passing.length > 0) throw new Error(`${view.name} is not complete: ${JSON.stringify(passing)}`)
      if (!damaged && lasting.length > 0) throw new Error(`gaps without damage: ${JSON.stringify(lasting)}`)
    }
    const { node } = this.#sim.world
    if (!node?.life.alive) return
    for (const { view } of answers.views()) {
      const here = answers.basis(view.name).viewVersion
      const there = node.answers.basis(view.name).viewVersion
      if (here !== there)
        throw new Error(`the node serves version ${there} of ${view.name} instead of ${here}`)
    }
  }

  /** Who says nothing, or reads nothing, does not keep its place. */
  async #silentOnesGo(): Promise<void> {
    const { world, fleet } = this.#sim
    await world.clock.advance(2 * IDLE_MS)
    if (fleet.crowd.size > 0) throw new Error(`${fleet.crowd.size} silent clients are connected for ever`)
  }

  async #closeAll(): Promise<void> {
    const { world, fleet } = this.#sim
    for (const { life } of fleet.hosts) life.die()
    for (const sender of fleet.senders) sender.disconnect()
    let closed = false
    world.between = null
    void world.parts!.close().then(() => {
      closed = true
    })
    for (let waitedMs = 0; !closed && waitedMs < CLOSE_MS_MAX; waitedMs += 100) await world.clock.advance(100)
    if (!closed) throw new Error('it does not close')
    world.throwIfBroken()
    world.life!.die()
    world.node?.life.die()
  }
}

/** The gaps of an answer that nothing will ever fill. */
function isLasting(
  gap: { partition: number; from: number; to: number | null },
  lasting: readonly Gap[],
): boolean {
  return lasting.some(
    ({ partition, from, to }) => gap.partition === partition && gap.from === from && gap.to === to,
  )
}
