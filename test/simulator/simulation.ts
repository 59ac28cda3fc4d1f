import type { Manifest } from '../../lake/backup/manifest.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Message } from '../../schemas/message.ts'
import type { Position } from '../../schemas/position.ts'
import { drain } from '../sim/incarnation.ts'
import { NO_TROUBLE } from '../sim/store.ts'
import type { Command, Parts } from './compose.ts'
import type { Dice } from './dice.ts'
import { Fleet } from './fleet.ts'
import type { Sender } from './sender.ts'
import { TICK_MS } from './site.ts'
import type { Plan } from './step.ts'
import { emptyTally } from './tally.ts'
import { World } from './world.ts'

/** A complete answer contains what was accepted longer ago than this. */
const FRESH_MS = 1_000
/** After this of trouble with the disk, an answer must say that it may lack something. */
const FRESH_MS_IN_TROUBLE = TICK_MS + 5_000 + 2_000
const TROUBLE_MS = [500, 5_000, 60_000, 400_000]

/** A backup that is there, and what was accepted before it was begun. */
export interface Kept {
  readonly manifest: Manifest
  readonly before: Position
}

/** A world with its fleet, and what the faults so far allow it: the state that actions change and checks look at. */
export class Simulation {
  readonly world: World
  readonly fleet: Fleet
  readonly tally = emptyTally()
  /** Segments of the journal in which a bit was flipped. */
  readonly flipped = new Set<string>()
  /** Hours whose messages a flipped bit may have taken from the lake. */
  readonly damagedHours = new Set<string>()
  damagedFiles = 0
  journalDeleted = false
  /** Files to import. */
  readonly files: { readonly messages: readonly Message[]; readonly text: string }[] = []
  /** Corrections so far. */
  corrections = 0
  /** Where backups go, which is in no trouble, and those that are whole. */
  readonly backupStore: MemoryStore
  readonly backups: Kept[] = []
  /** Whether an erasure took old versions along before their time. */
  vacuumed = false
  #latestMs = 0
  /** How the process dies when its fuse has burnt. */
  nextDeath: 'process' | 'power' = 'process'
  #troubleUntilMs = Number.NEGATIVE_INFINITY
  #endTroubles = new Map<string, () => void>()

  constructor(plan: Plan, indexPath: string | null) {
    const { indexOutlives, ...config } = plan.world
    this.world = new World({ ...config, seed: plan.seed, indexPath: indexOutlives ? indexPath : null })
    this.fleet = new Fleet(this.world)
    this.backupStore = new MemoryStore(this.world.clock)
  }

  async crash(kind: 'process' | 'power'): Promise<void> {
    this.nextDeath = 'process'
    this.tally.crashes += 1
    await this.world.crash(kind)
  }

  /** Connects a sender; when it is welcomed, it sends what lies above the durable number, or above that `share` of it. */
  async connect(sender: Sender, share = 1): Promise<void> {
    sender.from = (welcomed) => {
      const from = Math.floor(welcomed * share)
      if (from < welcomed) this.tally.repeats += 1
      return from
    }
    await sender.connect(this.world.net)
    await drain()
  }

  /** Begins something that goes on while other steps happen. */
  begin(what: string, work: (parts: Parts) => Promise<unknown>): string {
    this.#follow(what, work(this.world.parts!))
    return `${what} begins`
  }

  /** Begins a command in a process of its own, which may die in the middle. */
  beginCommand(what: string, dice: Dice, work: (command: Command) => Promise<unknown>): string {
    const command = this.world.startCommand()
    const calls = dice.float() < 0.4 ? 1 + dice.below(dice.pick([5, 80])) : null
    if (calls !== null) command.life.dieAfter(calls)
    this.#follow(
      what,
      work(command).finally(() => command.life.die()),
    )
    return `${what} begins${calls === null ? '' : `, its process dies after ${calls} calls`}`
  }

  #follow(what: string, work: Promise<unknown>): void {
    const { trace } = this.world
    work.then(
      () => trace.say(`  done: ${what}`),
      (error: unknown) => {
        trace.say(`  failed: ${what}: ${describeError(error)}`)
        if (!(error instanceof TidemarkError)) this.world.broken ??= error
      },
    )
  }

  beginRun(full: boolean, which: 'first' | 'second'): string {
    return this.begin(`${which === 'second' ? 'second ' : ''}run${full ? ' --full' : ''}`, async (parts) => {
      const batch = which === 'first' ? parts.batch : (parts.twin?.batch ?? parts.batch)
      const records = await batch.run({ full })
      this.tally.runs += 1
      for (const { view, result, error } of records) {
        if (result === 'published') this.tally.publishes += 1
        this.world.trace.say(`  ${view}: ${result} ${error ?? ''}`)
      }
    })
  }

  /** The latest time that the server's clock has told. */
  latestMs(): number {
    this.#latestMs = Math.max(this.#latestMs, this.world.clock.nowMs())
    return this.#latestMs
  }

  /** Trouble that was begun ends by itself after a while. */
  forAWhile(what: string, dice: Dice, end: () => void): string {
    const ms = dice.pick(TROUBLE_MS)
    this.#endTroubles.set(what, end)
    this.world.clock.after(ms, () => this.#endTrouble(what, end))
    return `${what}, for ${ms} ms`
  }

  #endTrouble(what: string, end: () => void): void {
    if (this.#endTroubles.get(what) !== end) return
    this.#endTroubles.delete(what)
    this.world.trace.say(`over: ${what}`)
    end()
  }

  /** While the disk is in trouble, and for a time after, speed may be behind the log. */
  slow(): void {
    this.#troubleUntilMs = Math.max(this.#troubleUntilMs, this.world.clock.passedMs + FRESH_MS_IN_TROUBLE)
  }

  diskError(message: string): TidemarkError {
    this.slow()
    return new TidemarkError('E_DISK', message)
  }

  /** How long ago at least a message was accepted that a complete answer must contain. */
  freshMs(): number {
    const { clock, slowDiskMs } = this.world
    return slowDiskMs > 0 || clock.passedMs < this.#troubleUntilMs ? FRESH_MS_IN_TROUBLE : FRESH_MS
  }

  stopFaults(): void {
    const { world } = this
    for (const [what, end] of this.#endTroubles) this.#endTrouble(what, end)
    world.disk.fault = null
    world.disk.capacityBytes = Number.POSITIVE_INFINITY
    world.slowDiskMs = 0
    for (const tableDelay of Object.values(world.tableDelays)) tableDelay.end()
    world.remote.trouble = { ...NO_TROUBLE }
    world.net.delayMs = 0
    for (const host of this.fleet.hosts) host?.mend()
    world.life?.dieAfter(Number.POSITIVE_INFINITY)
  }
}
