import { describeError } from '../../schemas/errors.ts'
import { drain, Incarnation } from '../sim/incarnation.ts'
import { type Command, compose, composeCommand, composeNode, type Node, type Parts } from './compose.ts'
import { LAKE_DIR, Site } from './site.ts'

/** A start that takes longer than this hangs. */
const START_MS_MAX = 600_000

/**
 * A whole Tidemark over a simulated clock, disk, object store and network: every layer is the production code. `crash`
 * ends one life of the process at whatever `await` it had reached, `start` begins the next from what was kept.
 */
export class World extends Site {
  life: Incarnation | null = null
  parts: Parts | null = null
  node: Node | null = null
  /** Processes beside it on its machine. */
  readonly #commands = new Set<Incarnation>()
  /** Refused lines that the processes before this one could not keep. */
  unkeptRejects = 0

  /** Names on the disk when the process was up: it must have made them durable. */
  #found: ReadonlySet<string> = new Set()

  /** Whether an object of the lake must stay, whatever happens to its disk: its name is durable, or should be. */
  stays(key: string): boolean {
    const path = `${LAKE_DIR}/${key}`
    return this.config.lake === 'store' || this.disk.isDurable(path) || this.#found.has(path)
  }

  get up(): boolean {
    return this.life?.alive === true && this.parts !== null
  }

  /** Starts the process; false when it died or gave up on the way. */
  async start(dieAfter?: number): Promise<boolean> {
    const life = this.#newLife()
    if (dieAfter !== undefined) life.dieAfter(dieAfter)
    this.life = life
    this.parts = await this.#begin(life, compose(this, life))
    if (this.up) this.#found = new Set(this.disk.paths())
    return this.up
  }

  /** Starts the serving node that knows the lake alone. */
  async startNode(): Promise<boolean> {
    this.node?.life.die()
    const life = this.#newLife()
    this.node = await this.#begin(life, composeNode(this, life))
    return this.node !== null
  }

  /** Starts a process that does one thing. */
  startCommand(): Command {
    const life = this.#newLife()
    this.#commands.add(life)
    void life.death.then(() => this.#commands.delete(life))
    return composeCommand(this, life)
  }

  /** Ends every process. */
  end(): void {
    this.life?.die()
    this.node?.life.die()
    for (const life of this.#commands) life.die()
  }

  #newLife(): Incarnation {
    const life = new Incarnation()
    life.answered = (method, args) => {
      this.trace.call('', method, args)
      this.between?.()
    }
    return life
  }

  /** What `starting` makes, while time passes; null when the process dies on the way or gives up. */
  async #begin<T>(life: Incarnation, starting: Promise<T>): Promise<T | null> {
    let made: T | null = null
    let over = false
    starting.then(
      (parts) => {
        made = parts
        over = true
      },
      (error) => {
        if (!(error as { code?: string }).code?.startsWith('E_')) this.broken = error
        if (life.alive) this.say(`gave up starting: ${describeError(error)}`)
        life.die()
      },
    )
    void life.death.then(() => {
      over = true
    })
    await drain()
    for (let waitedMs = 0; !over; waitedMs += 100) {
      if (waitedMs > START_MS_MAX) throw new Error('the start hangs')
      await this.clock.advance(100)
    }
    await drain()
    this.throwIfBroken()
    return life.alive ? made : null
  }

  /** Ends the process now; `power` also loses what was not synced. */
  async crash(kind: 'process' | 'power'): Promise<void> {
    this.life?.die()
    this.unkeptRejects += this.parts?.collector.status().unkeptRejects ?? 0
    this.parts = null
    if (kind === 'power') for (const life of this.#commands) life.die()
    this.net.reset()
    this.disk.crash(kind)
    // Whoever saw what a power loss took back was on the machine that lost its power.
    if (kind === 'power' && this.config.lake === 'disk') {
      this.tables = this.lookAgain()
      this.oracle.amendments?.forgetLost()
    }
    await drain()
  }
}
