import { simRandom } from '../../sim/random.ts'
import { NO_TROUBLE } from '../../sim/store.ts'
import { Dice } from '../dice.ts'
import { checkAnswers, checkMessages } from './check.ts'
import { Cluster } from './cluster.ts'
import { DEFINITIONS, SKEW_MS, TICK_MS } from './deployment.ts'
import type { Worker, WorkerKind } from './worker.ts'

/** What a history of a cluster contained, and how it ended. */
export interface ClusterOutcome {
  /** Null when the law held. */
  readonly failure: string | null
  readonly tally: ClusterTally
  readonly lines: readonly string[]
  /** Equal for two that did the same. */
  readonly hash: string
}

export interface ClusterTally {
  blocks: number
  repeats: number
  kills: number
  zombies: number
  handovers: number
  publishes: number
  definitions: number
  lostStates: number
  checks: number
  complete: number
}

/** A step: how often it comes, and what it does. */
type Step = readonly [weight: number, act: (history: History, dice: Dice) => string | Promise<string>]

const STEPS: readonly Step[] = [
  [10, ({ cluster }, dice) => cluster.senders.send(dice)],
  [6, ({ cluster }, dice) => cluster.senders.sendUnnumbered(dice)],
  [5, ({ cluster }, dice) => cluster.senders.standTwice(dice)],
  [3, ({ cluster }, dice) => cluster.senders.dieBeforeAnswer(dice)],
  [3, (history, dice) => history.handOver(dice)],
  [2, (history, dice) => history.kill(dice.pick(history.cluster.workers))],
  [2, (history, dice) => history.standStill(dice.pick(history.cluster.workers))],
  [2, (history) => history.wakeAll()],
  [3, (history) => history.run(false)],
  [1, (history) => history.run(true)],
  [2, (history, dice) => history.trouble(dice)],
  [1, (history, dice) => history.define(dice)],
  [2, (history, dice) => history.loseStates(dice)],
  [2, (history, dice) => history.skew(dice)],
]
/** Time that passes at a step. */
const STEP_MS = [0, 500, 5_000, TICK_MS, 2 * TICK_MS, 120_000]
/** Everything must be caught up with this long after the last fault. */
const CATCH_UP_MS = 4 * 60_000

/** A call of the store that was begun before takes no longer. */
const SLOW_MS_MAX = 8_000

/** One history of a cluster: steps by chance, then no more faults. */
export async function runCluster(seed: number, steps: number): Promise<ClusterOutcome> {
  const history = new History(new Cluster(seed))
  const { cluster, tally } = history
  const random = simRandom(seed)
  let failure: string | null = null
  try {
    await cluster.start()
    for (let n = 1; n <= steps; n++) await history.step(n, new Dice(Math.floor(random.float() * 2 ** 31)))
    await history.end()
    await cluster.close()
  } catch (error) {
    failure = (error as Error).message
    for (const worker of cluster.workers) worker.kill()
  }
  tally.blocks = cluster.accepted.oracle.blocks.length
  tally.repeats = cluster.accepted.repeats
  return { failure, tally, lines: cluster.trace.lines, hash: cluster.trace.digest() }
}

class History {
  readonly cluster: Cluster
  readonly tally: ClusterTally = {
    ...{
      blocks: 0,
      repeats: 0,
      kills: 0,
      zombies: 0,
      handovers: 0,
      publishes: 0,
      definitions: 0,
      lostStates: 0,
      checks: 0,
      complete: 0,
    },
  }
  #runs = 0

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  async step(number: number, dice: Dice): Promise<void> {
    const sum = STEPS.reduce((total, [weight]) => total + weight, 0)
    let roll = dice.float() * sum
    const [, act] = STEPS.find(([weight]) => {
      roll -= weight
      return roll < 0
    })!
    this.cluster.trace.say(`${number}. ${await act(this, dice)}`)
    await this.cluster.clock.advance(dice.pick(STEP_MS))
    this.check()
  }

  check(): boolean {
    if (this.cluster.broken !== null) throw this.cluster.broken
    const { complete } = checkAnswers(this.cluster)
    this.tally.checks += 1
    if (complete) this.tally.complete += 1
    return complete
  }

  handOver(dice: Dice): string {
    const kind = dice.pick<WorkerKind>(['speed', 'lake-writer'])
    const bits = dice.below(8)
    this.cluster.handOver(kind, (partition) => (bits >> partition) & 1)
    this.tally.handovers += 1
    return `partitions of ${kind}: ${bits.toString(2).padStart(3, '0')}`
  }

  /** It dies, and begins anew at once; its partitions are its own again, or those of the other. */
  kill(worker: Worker): string {
    worker.kill()
    worker.start()
    this.cluster.handOver(worker.kind, (partition) => partition % 2)
    this.tally.kills += 1
    return `kill ${worker.name}`
  }

  /** It stands still; its partitions are given to the other, and it wakes late without having heard. */
  standStill(worker: Worker): string {
    const other = this.cluster.of(worker.kind).findIndex((one) => one !== worker)
    worker.standStill()
    this.cluster.handOver(worker.kind, () => other)
    this.tally.zombies += 1
    return `${worker.name} stands still`
  }

  wakeAll(): string {
    for (const worker of this.cluster.workers) worker.wake()
    return 'all wake'
  }

  run(full: boolean): string {
    const { batch, trace } = this.cluster
    if (this.#runs > 0) return 'a run is going on'
    this.#runs += 1
    batch
      .run({ full })
      .then(
        (records) => {
          for (const { view, result, error } of records) {
            if (result === 'published') this.tally.publishes += 1
            trace.say(`  ${view}: ${result} ${error ?? ''}`)
          }
        },
        (error: Error) => trace.say(`  run failed: ${error.message}`),
      )
      .finally(() => {
        this.#runs -= 1
      })
    return full ? 'run --full' : 'run'
  }

  trouble(dice: Dice): string {
    const { remote } = this.cluster
    const isQuiet = dice.float() < 0.5
    remote.trouble = isQuiet
      ? { ...NO_TROUBLE }
      : {
          errors: dice.pick([0, 0.1]),
          unclear: dice.pick([0, 0.2]),
          slowMs: dice.pick([0, 500, 5_000]),
          slowListMs: dice.pick([0, 2_000]),
          staleListMs: dice.pick([0, 20_000, 300_000]),
        }
    return `the store: ${JSON.stringify(remote.trouble)}`
  }

  /** Another definition for whoever starts from now on: batch, serving and one of the workers at once, the others when they die. */
  async define(dice: Dice): Promise<string> {
    const { cluster } = this
    if (this.#runs > 0) return 'a run is going on'
    cluster.defined = dice.pick(DEFINITIONS)
    const { trouble } = cluster.remote
    cluster.remote.trouble = { ...NO_TROUBLE }
    await cluster.startOthersAnew()
    cluster.remote.trouble = trouble
    this.kill(dice.pick(cluster.workers))
    this.tally.definitions += 1
    return `definition ${DEFINITIONS.indexOf(cluster.defined)}`
  }

  /** What was kept of repeats is lost, and a worker that needs it starts. */
  loseStates(dice: Dice): string {
    const lost = this.cluster.loseStates()
    if (lost > 0) this.tally.lostStates += 1
    this.kill(dice.pick(this.cluster.workers))
    return `${lost} states of repeats are lost`
  }

  skew(dice: Dice): string {
    const worker = dice.pick(this.cluster.workers)
    // As far as clocks are off at most, most of the time.
    const part = dice.pick([-1, 1, 2 * dice.float() - 1])
    worker.skewMs = Math.round(part * SKEW_MS[worker.kind])
    return `the clock of ${worker.name} is off by ${worker.skewMs} ms`
  }

  /** Faults over: everything is caught up with, nothing is missing and nothing counted twice. */
  async end(): Promise<void> {
    const { cluster } = this
    cluster.trace.say('no more faults')
    cluster.remote.trouble = { ...NO_TROUBLE }
    this.wakeAll()
    for (const worker of cluster.workers) if (worker.isOutdated) worker.kill()
    // Of two that start at once one may have to start again, when what was slow in the last trouble is over.
    for (let tries = 0; tries <= cluster.workers.length; tries++) {
      for (const worker of cluster.workers) if (!worker.up) worker.start()
      await cluster.clock.advance(SLOW_MS_MAX)
    }
    for (const kind of ['speed', 'lake-writer'] as const) cluster.handOver(kind, (partition) => partition % 2)
    await cluster.clock.advance(CATCH_UP_MS)
    this.#allWell()
    for (const full of [false, true]) {
      for (let ms = 0; this.#runs > 0 && ms < CATCH_UP_MS; ms += 1_000) await cluster.clock.advance(1_000)
      this.run(full)
      await cluster.clock.advance(CATCH_UP_MS)
      this.#allWell()
    }
    await checkMessages(cluster)
  }

  #allWell(): void {
    const { cluster } = this
    for (const { name, state } of cluster.workers)
      if (state().state !== 'ok') throw new Error(`${name} is ${state().state}: ${state().reason}`)
    if (!this.check() && !cluster.mayCountTwice)
      throw new Error(`not complete long after the last fault: ${this.#gaps()}`)
    for (const { view } of cluster.answers.views()) {
      const { position } = cluster.answers.basis(view.name)
      for (let p = 0; p < cluster.log.count; p++)
        if ((position[p] ?? -1) < cluster.accepted.oracle.end(p))
          throw new Error(`${view.name} stands at ${p}/${position[p]} of ${cluster.log.end(p)}`)
    }
  }

  #gaps(): string {
    const { answers, clock } = this.cluster
    const range = { fromMs: 0, toMs: clock.nowMs() }
    return JSON.stringify(answers.views().map(({ view }) => answers.whole(view.name, range).gaps))
  }
}
