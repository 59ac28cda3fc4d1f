import { offsetIn } from '../../schemas/position.ts'
import { HOUR_MS } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { drain } from '../sim/incarnation.ts'
import { differences, minuteDifferences } from './oracle.ts'
import { Sender } from './sender.ts'
import { START_MS, TICK_MS, World } from './world.ts'

/** What a sequence contained, so that the suite can assert that it tested something. */
export interface Tally {
  crashes: number
  repeats: number
  late: number
  publishes: number
  ticks: number
  answers: number
  incomplete: number
  definitions: number
}

export function emptyTally(): Tally {
  return {
    crashes: 0,
    repeats: 0,
    late: 0,
    publishes: 0,
    ticks: 0,
    answers: 0,
    incomplete: 0,
    definitions: 0,
  }
}

const SERVICES = ['checkout', 'search', 'übung']
const HOSTS = ['web-1', 'web-2', '\u{1F600}', '\uFFFD']
/** A complete answer must contain what was accepted longer ago than this. */
const FRESHNESS_MS = 1_000

/** Runs one random sequence; throws with its seed and steps when the law is broken. */
export async function runSequence(seed: number, steps: number): Promise<Tally> {
  const run = new Sequence(seed)
  try {
    await run.begin()
    for (let i = 0; i < steps; i++) {
      await run.step()
      run.check()
    }
    await run.end()
  } catch (error) {
    const trace = run.trace.map((line, i) => `  ${i + 1}. ${line}`).join('\n')
    const said = run.world.lines.slice(-5).join('\n  ')
    throw new Error(`seed ${seed}: ${(error as Error).message}\n${trace}\n  ${said}`, { cause: error })
  }
  return run.tally
}

class Sequence {
  readonly world: World
  readonly trace: string[] = []
  readonly tally = emptyTally()
  readonly senders = [new Sender('a1'), new Sender('a2')]
  /** Armed by a step: the next one dies after so many port calls. */
  #fuse: number | null = null

  constructor(seed: number) {
    this.world = new World(seed)
  }

  begin(): Promise<boolean> {
    return this.world.start()
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.world.random.float() * list.length)]!
  }

  #below(n: number): number {
    return Math.floor(this.world.random.float() * n)
  }

  async step(): Promise<void> {
    if (!this.world.up) return this.#restart()
    if (this.#fuse !== null) {
      this.world.life!.dieAfter(this.#fuse)
      this.#fuse = null
    }
    const roll = this.world.random.float()
    if (roll < 0.42) await this.#send()
    else if (roll < 0.5) await this.#repeat()
    else if (roll < 0.66) await this.#advance(this.#pick([100, 1_000, TICK_MS, 3 * TICK_MS, HOUR_MS / 4]))
    else if (roll < 0.72) await this.#race('tick', () => this.world.parts!.speed.tick())
    else if (roll < 0.77) await this.#race('seal', () => this.world.parts!.writer.seal())
    else if (roll < 0.9) await this.#run(this.world.random.float() < 0.15)
    else if (roll < 0.96) {
      this.#fuse = 1 + this.#below(30)
      this.trace.push(`the next step dies after ${this.#fuse} port calls`)
    } else await this.#crash()
    if (this.world.life?.alive === false && this.world.parts !== null) await this.#crash()
  }

  async #restart() {
    if (this.world.random.float() < 0.15) this.#define(this.#pick([1, 10, 0.1]))
    this.trace.push('start')
    await this.world.start(this.world.random.float() < 0.1 ? 1 + this.#below(40) : undefined)
    if (!this.world.up) return this.#crash()
  }

  /** The next start has another definition of the view. */
  #define(scale: number) {
    this.trace.push(`cpu counts ${scale} times`)
    this.tally.definitions += 1
    const gauges = serviceMinute.gauges.map((one) => (one.gauge === 'cpu' ? { ...one, scale } : one))
    this.world.view = { ...serviceMinute, gauges }
  }

  async #crash() {
    const kind = this.#pick(['process', 'power'] as const)
    this.trace.push(`crash (${kind})`)
    this.tally.crashes += 1
    await this.world.crash(kind)
  }

  async #send() {
    const sender = this.#pick(this.senders)
    const count = 1 + this.#below(8)
    this.trace.push(`${sender.agent} sends ${count}`)
    const { clock } = this.world
    for (let i = 0; i < count; i++) {
      const late = this.world.random.float() < 0.3
      if (late) this.tally.late += 1
      const back = late ? this.#pick([61_000, HOUR_MS, 25 * HOUR_MS, 40 * 24 * HOUR_MS]) : this.#below(2_000)
      sender.make({
        service: this.#pick(SERVICES),
        host: this.#pick(HOSTS),
        timeMs: clock.nowMs() - back,
        gauges: [this.#below(4), this.#below(4) / 8, this.#pick([0, 1e15, 0.1, 5e-324])],
      })
    }
    if (!sender.connected) {
      await sender.connect(this.world.net)
      await drain()
      sender.sendAfter(sender.welcomed)
    } else sender.sendAfter(sender.sent.length - count)
    await drain()
  }

  /** A sender comes back and resends what was acknowledged long ago. */
  async #repeat() {
    const sender = this.#pick(this.senders)
    await sender.connect(this.world.net)
    await drain()
    const from = this.#below(sender.welcomed + 1)
    this.trace.push(`${sender.agent} reconnects and resends from ${from + 1}`)
    this.tally.repeats += sender.welcomed > from ? 1 : 0
    sender.sendAfter(from)
    await drain()
  }

  async #advance(ms: number) {
    this.trace.push(`advance ${ms} ms`)
    await this.world.clock.advance(ms)
    await drain()
  }

  async #run(full: boolean) {
    await this.#race(full ? 'run --full' : 'run', async () => {
      const record = await this.world.parts!.batch.run({ full })
      this.trace.push(`  ${record.result} ${record.error ?? ''}`)
      if (record.result === 'published') this.tally.publishes += 1
    })
  }

  /** Does `work`, or dies on the way. */
  async #race(what: string, work: () => Promise<unknown>) {
    this.trace.push(what)
    await Promise.race([work(), this.world.life!.death])
    if (what === 'tick') this.tally.ticks += 1
    await drain()
  }

  /** Every answer equals the fold over the set that it names, and the set is fresh. */
  check(): void {
    if (!this.world.up) return
    const { answers } = this.world.parts!
    const basis = answers.basis()
    const expected = this.world.oracle.cells(this.world.definitions.get(basis.definition)!, basis.position)
    const nowMs = this.world.clock.nowMs()
    const ranges = [
      { fromMs: 0, toMs: nowMs + HOUR_MS },
      { fromMs: START_MS - HOUR_MS, toMs: START_MS },
      { fromMs: nowMs - 120_000 - (nowMs % 60_000), toMs: nowMs + 60_000 - (nowMs % 60_000) },
    ]
    const wrong: string[] = []
    for (const key of expected.keys()) {
      for (const range of ranges) {
        const stats = answers.stats(key, range)
        this.tally.answers += 1
        if (stats === null) {
          wrong.push(`${key} is unknown`)
          continue
        }
        wrong.push(...differences(expected, range, stats))
        if (!stats.complete) this.tally.incomplete += 1
        else wrong.push(...this.#stale(basis.position))
      }
      wrong.push(...minuteDifferences(expected, key, ranges[0]!, answers.minutes(key, ranges[0]!) ?? []))
    }
    if (wrong.length > 0) throw new Error(`${wrong.slice(0, 4).join('; ')} at ${JSON.stringify(basis)}`)
  }

  #stale(position: { readonly [partition: number]: number }): string[] {
    const bound = this.world.clock.nowMs() - FRESHNESS_MS
    const missing = this.world.oracle.blocks.find(
      (block) => block.logTimeMs < bound && block.offset > offsetIn(position, block.partition),
    )
    return missing ? [`block ${missing.offset} is missing from a complete answer`] : []
  }

  /** Faults over: everything is caught up with, and nothing acknowledged is missing. */
  async end(): Promise<void> {
    this.trace.push('end')
    this.world.life?.dieAfter(Number.POSITIVE_INFINITY)
    while (!this.world.up) {
      await this.world.crash('process')
      await this.world.start()
    }
    await this.world.clock.advance(10_000)
    const accepted = this.world.oracle.numbered()
    for (const sender of this.senders) {
      for (let seq = 1; seq <= sender.acked; seq++) {
        if (!accepted.has(`${sender.agent}/${seq}`)) throw new Error(`${sender.agent}/${seq} is lost`)
      }
      if (sender.errors > 0) throw new Error(`${sender.agent} was refused ${sender.errors} times`)
    }
    await this.world.parts!.speed.tick()
    await this.world.parts!.batch.run({ full: false })
    await this.world.clock.advance(10_000)
    this.check()
    const { answers } = this.world.parts!
    for (const { key } of answers.services()) {
      const stats = answers.stats(key, { fromMs: 0, toMs: this.world.clock.nowMs() + HOUR_MS })!
      if (!stats.complete) throw new Error(`${key} is not complete at the end: ${JSON.stringify(stats.gaps)}`)
    }
    await this.world.crash('process')
  }
}
