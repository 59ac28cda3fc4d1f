import type { RepeatStates } from '../lake/tables/repeat-states.ts'
import { acceptAll, countedBlock } from '../log/accepted.ts'
import { BlockBatches } from '../log/block-batches.ts'
import type { LogReader } from '../log/port.ts'
import { readKept } from '../log/read-kept.ts'
import { Coalesced } from '../schemas/coalesced.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { Chain } from './chain.ts'
import { inTurns } from './turns.ts'
import type { ViewChains } from './view-chains.ts'

export interface ReaderDeps {
  readonly log: LogReader
  /** Null where the log holds no repeats. */
  readonly states: RepeatStates | null
  readonly clock: Clock
  /** Open cells of a chain at which it is to be committed early. */
  readonly earlyCells: number
  /** Open cells of a chain at which folding waits. */
  readonly heldMax: number
  /** Called when a chain has so many. */
  full(): void
  /** Lets whatever else waits for this thread have its turn. */
  turn(): Promise<void>
  say(reason: string): void
}

/**
 * Blocks asked for and folded in one go: so many that folding keeps up although the thread that reads them, busy with
 * thousands of senders, answers only a few times a second; so few that queries get their turn soon.
 */
const BLOCKS_PER_READ = 2_048
const RETRY_MS = 1_000

/** Folds one partition of the log into the chains of all views, and reads it once for all that stand at the same place. */
export class PartitionReader {
  readonly partition: number
  readonly views: readonly ViewChains[]
  /** Folds to the log's end. */
  readonly follow: Coalesced
  readonly #deps: ReaderDeps
  readonly #batches = new BlockBatches()
  readonly #behindSinceMs = new Map<Chain, number>()
  #mayKnowRepeats = false
  #closed = false

  constructor(partition: number, views: readonly ViewChains[], deps: ReaderDeps) {
    this.partition = partition
    this.views = views
    this.#deps = deps
    const { clock, say } = deps
    this.follow = new Coalesced(() => this.#foldToEnd(), { say, retry: { clock, ms: RETRY_MS } })
  }

  get chains(): Chain[] {
    return this.views.flatMap(({ chains }) => [...chains.values()])
  }

  chainOf(hash: string): Chain | undefined {
    return this.chains.find((chain) => chain.hash === hash)
  }

  get end(): number {
    return this.#deps.log.end(this.partition)
  }

  /** See `OpenCells.lag`. */
  lag(hash: string): { start: number; end: number; behindSinceMs: number | null } {
    const chain = this.chainOf(hash)
    const behindSinceMs = chain === undefined ? null : (this.#behindSinceMs.get(chain) ?? null)
    return { start: this.#deps.log.start(this.partition), end: this.end, behindSinceMs }
  }

  /** Brings the chains in line with the lake. */
  async retarget(): Promise<void> {
    const { log, states } = this.#deps
    const prepare = states === null ? null : (chain: Chain) => this.#prepare(states, chain)
    for (const view of this.views) {
      const made = await view.retarget(log.start(this.partition), prepare)
      for (const chain of made) {
        // What it has not read yet may be as old as that, however late the fold begins.
        if (chain.readTo < this.end) this.#behindSinceMs.set(chain, chain.readToMs)
      }
    }
    this.#mayKnowRepeats = true
    const kept = new Set(this.chains)
    for (const chain of this.#behindSinceMs.keys()) if (!kept.has(chain)) this.#behindSinceMs.delete(chain)
  }

  /** Gives a chain that begins what is known of repeats there. */
  async #prepare(states: RepeatStates, chain: Chain): Promise<void> {
    const { log } = this.#deps
    const { partition, readTo: position, readToMs } = chain
    const { repeats, gaps } = await states.begin(log, { partition, position }, readToMs)
    chain.repeats = repeats
    chain.addGaps(gaps)
  }

  /** Chains that lost what was known of repeats get what another reader knows by now. */
  async #recover(): Promise<void> {
    const { log, states } = this.#deps
    if (states === null || !this.#mayKnowRepeats) return
    this.#mayKnowRepeats = false
    const lost = this.chains.filter(({ repeats }) => repeats?.isBegunAnew)
    for (const position of new Set(lost.map(({ readTo }) => readTo))) {
      const repeats = await states.found(log, { partition: this.partition, position })
      if (repeats === null) continue
      for (const chain of lost) if (chain.readTo === position) chain.repeats = repeats
    }
  }

  /** Notes which chains have read to the log's end, and which are behind it since now. */
  noteLags(): void {
    const { clock, log } = this.#deps
    const end = this.end
    const canTell = log.state().state !== 'failed'
    for (const chain of this.chains) {
      if (chain.readTo < end) {
        if (!this.#behindSinceMs.has(chain)) this.#behindSinceMs.set(chain, clock.nowMs())
        continue
      }
      this.#behindSinceMs.delete(chain)
      if (canTell) chain.atEndMs = clock.nowMs()
    }
  }

  /**
   * Folds until no chain that has room is behind the end that the log has now, those furthest behind first. What comes
   * meanwhile is for the next call, so that callers that wait for this one are never kept waiting by senders.
   */
  async #foldToEnd(): Promise<void> {
    const { log, earlyCells, heldMax, full, turn } = this.#deps
    const { partition, end } = this
    await this.#recover()
    while (!this.#closed) {
      this.noteLags()
      const behind = this.chains.filter((chain) => chain.readTo < end && chain.openCells < heldMax)
      if (behind.length === 0) return
      const from = Math.min(...behind.map(({ readTo }) => readTo))
      const first = behind.filter(({ readTo }) => readTo === from)
      const afterMs = Math.min(...first.map(({ readToMs }) => readToMs))
      const slice = await readKept(log, { partition, after: from, afterMs }, BLOCKS_PER_READ)
      if (slice.to === from) return
      const repeats = this.#repeatsOf(first)
      for (const part of inTurns(slice, from)) {
        const blocks = repeats === null ? part.blocks : acceptAll(repeats, part).map(countedBlock)
        for (const chain of first) chain.begin()
        for (const batch of this.#batches.of(blocks)) for (const chain of first) chain.add(batch)
        for (const chain of first) {
          chain.advance(part.gaps, part.to, part.toMs)
          if (chain.openCells >= earlyCells) full()
        }
        await turn()
        if (this.#closed) return
      }
    }
  }

  /**
   * One fold over repeats for chains that stand at the same place: theirs are equal. A chain that does not go on with them
   * keeps the one that it had.
   */
  #repeatsOf(together: readonly Chain[]) {
    const knowing = together.find(({ repeats }) => repeats?.isBegunAnew === false)
    const lead = (knowing ?? together[0]!).repeats
    if (lead === null) return null
    const others = this.chains.filter((chain) => !together.includes(chain))
    const repeats = others.some((chain) => chain.repeats === lead) ? lead.copy() : lead
    for (const chain of together) chain.repeats = repeats
    return repeats
  }

  /** Reads no further. */
  stop(): void {
    this.#closed = true
  }

  /** Ends the reading; what was not committed is given up. */
  async close(): Promise<void> {
    this.stop()
    await this.follow.close()
    this.#behindSinceMs.clear()
    for (const { chains } of this.views) chains.clear()
  }
}
