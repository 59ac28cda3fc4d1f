import type { LogReader } from '../../log/port.ts'
import { Repeats } from '../../log/repeats.ts'
import { decodeRepeats, encodeRepeats, type StateName } from '../../log/repeats-codec.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { BEGINNING, type Gap } from '../../schemas/position.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import type { ObjectStore } from '../store/port.ts'

const KEEPERS = ['speed', 'lake-writer'] as const
/** The layer that keeps states beside its commits. */
export type StateKeeper = (typeof KEEPERS)[number]

export interface RepeatStatesDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  logLine(line: string): void
}

/** A fold over the repeats of a partition where a reader begins, and what is wrong with it. */
export interface Begun {
  readonly repeats: Repeats
  readonly gaps: readonly Gap[]
}

const FOLDER = 'repeats'
/** A state that nobody needs is kept so long, for a reader that began before. */
const KEPT_MS = HOUR_MS
/** Blocks of one read when a state is made again. */
const BLOCKS_PER_READ = 2_048
/** Why messages of a gap may count twice. */
export const LOST = 'it is not known which of these messages stood in the log before: some may count twice'

/**
 * What readers of the log know of repeats, kept in the lake (docs/format/repeats.md): each writes it before the commit at whose
 * position it stands, and finds it there when it starts. States at one position are equal, whichever process wrote them.
 */
export class RepeatStates {
  readonly #deps: RepeatStatesDeps
  /** The newest position written, by keeper and partition. */
  readonly #kept = new Map<string, number>()

  constructor(deps: RepeatStatesDeps) {
    this.#deps = deps
  }

  /** Keeps what `repeats` knows now, which is of the blocks up to that position. */
  async keep(keeper: StateKeeper, name: StateName, repeats: Repeats): Promise<void> {
    const last = `${keeper}/${name.partition}`
    if (this.#kept.get(last) === name.position) return
    const bytes = encodeRepeats(name, repeats.state)
    await this.#deps.store.put(keyOf(name, keeper), bytes)
    this.#kept.set(last, name.position)
  }

  /**
   * The fold at a position: as it was kept there, or made again from the log. Where the log does not reach back far enough it
   * begins with nothing, and what the log holds behind the position is a gap; so is what comes later, as long as the fold
   * `isBegunAnew`.
   */
  async begin(log: LogReader, name: StateName, atMs: number): Promise<Begun> {
    const { partition, position } = name
    const from = await this.#newestFrom(log, name, this.#deps.logLine)
    const repeats = from !== null && (await foldTo(log, from, name)) ? from.repeats : new Repeats()
    if (repeats === from?.repeats && !repeats.isBegunAnew) return { repeats, gaps: [] }
    if (repeats !== from?.repeats) {
      this.#deps.logLine(`what was known of repeats at ${partition}/${position} is gone: ${LOST}`)
      repeats.begunAnew()
    }
    const to = Math.max(log.end(partition), position + 1)
    const gap = { partition, from: position, to, fromMs: atMs, toMs: this.#deps.clock.nowMs(), reason: LOST }
    return { repeats, gaps: [gap] }
  }

  /** The fold at a position, where another reader kept it or the log tells, so that nothing counts twice; null where it is lost. */
  async found(log: LogReader, name: StateName): Promise<Repeats | null> {
    const from = await this.#newestFrom(log, name, () => {})
    if (from === null || from.repeats.isBegunAnew || !(await foldTo(log, from, name))) return null
    return from.repeats
  }

  /**
   * The newest state at or below a position, from which the log can be read: one that lacks nothing, where there is one; of one
   * that lacks something it was said before. Throws `E_NEWER` where only a newer release knows.
   */
  async #newestFrom(
    log: LogReader,
    { partition, position }: StateName,
    logLine: (line: string) => void,
  ): Promise<FoldAt | null> {
    const { store } = this.#deps
    if (position <= BEGINNING) return { position: BEGINNING, repeats: new Repeats() }
    let lacking: FoldAt | null = null
    let newer: string | null = null
    for await (const key of this.#keysFrom({ partition, position })) {
      const at = positionOf(key)
      if (at < position && at < log.start(partition)) break
      const bytes = await store.get(key)
      const state = bytes === null ? null : decodeRepeats(bytes, { partition, position: at })
      if (state === null) continue
      if ('damage' in state) {
        if (state.isNewer) newer ??= `${key}: ${state.damage}`
        else logLine(`${key} cannot be read: ${state.damage}`)
      } else if (state.isWhole) return { position: at, repeats: new Repeats(state) }
      else lacking ??= { position: at, repeats: new Repeats(state) }
    }
    if (log.start(partition) <= BEGINNING) return { position: BEGINNING, repeats: new Repeats() }
    if (newer !== null) throw new TidemarkError('E_NEWER', newer)
    return lacking
  }

  /** Where states at or below a position may be, the newest first: its own by name, for a list may lag behind. */
  async *#keysFrom({ partition, position }: StateName): AsyncGenerator<string> {
    for (const keeper of KEEPERS) yield keyOf({ partition, position }, keeper)
    const listed = (await this.#deps.store.list(folderOf(partition))).map(({ key }) => key)
    yield* listed.filter((key) => positionOf(key) < position).reverse()
  }

  /** Removes the states of a partition below the lowest position from which anybody may begin. */
  async removeBelow({ partition, position }: StateName): Promise<void> {
    const { store, clock } = this.#deps
    for (const { key, modifiedMs } of await store.list(folderOf(partition)))
      if (positionOf(key) < position && clock.nowMs() - modifiedMs > KEPT_MS) await store.delete(key)
  }
}

/** The states that a reader of `log` needs; null where it holds no repeats. */
export function statesFor({ log, states }: { log: LogReader; states?: RepeatStates }): RepeatStates | null {
  if (log.repeats !== true) return null
  if (states === undefined) throw new Error('whoever reads a log that holds repeats must have their states')
  return states
}

interface FoldAt {
  readonly position: number
  readonly repeats: Repeats
}

/** Folds what the log holds from there up to a position; whether it still held all of it. */
async function foldTo(log: LogReader, { position: from, repeats }: FoldAt, to: StateName): Promise<boolean> {
  for (let at = from; at < to.position; ) {
    if (at < log.start(to.partition)) return false
    const slice = await log.read(to.partition, at, BLOCKS_PER_READ)
    if (slice.gaps.length > 0) repeats.missed()
    for (const block of slice.blocks) if (block.offset <= to.position) repeats.accept(block)
    if (slice.to === at) return false
    at = slice.to
  }
  return true
}

function folderOf(partition: number): string {
  return `${FOLDER}/${partition}/`
}

/** Keys of one keeper sort by their positions. */
function keyOf({ partition, position }: StateName, keeper: StateKeeper): string {
  return `${folderOf(partition)}${String(position).padStart(16, '0')}.${keeper}`
}

function positionOf(key: string): number {
  return Number(/\/(\d+)\.[a-z-]+$/.exec(key)?.[1] ?? Number.NaN)
}
