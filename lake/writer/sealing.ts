import { acceptAll } from '../../log/accepted.ts'
import type { LogReader } from '../../log/port.ts'
import type { Repeats } from '../../log/repeats.ts'
import { isError } from '../../schemas/errors.ts'
import {
  BEGINNING,
  type Gap,
  lowest,
  mergeGaps,
  offsetIn,
  type Position,
  withGap,
} from '../../schemas/position.ts'
import type { Snapshot } from '../delta/port.ts'
import { coveredMs, logFacts, sealApp, withLogFacts } from '../tables/messages.ts'
import { type Begun, LOST, type RepeatStates } from '../tables/repeat-states.ts'
import type { MessageTable } from './message-table.ts'
import type { SealEncoder, SealFile } from './seal-files.ts'
import { readRange, type SealRange, upToBlock } from './seal-range.ts'

/** With more blocks than this to seal it is urgent, until fewer than that are left. */
const URGENT_BLOCKS = 100_000
const CALM_BLOCKS = 10_000

export interface SealingDeps {
  readonly log: LogReader
  readonly partition: number
  /** Null where the log holds no repeats. */
  readonly states: RepeatStates | null
  readonly tables: readonly MessageTable[]
  readonly encoder: SealEncoder
  readonly closed: () => boolean
  logLine(line: string): void
}

/**
 * Seals ranges of one partition of the log: rows by dataset and date ─▶ files ─▶ per dataset one commit of files and new covered position.
 * A dataset without rows in a range is moved on at the end of the seal alone, unless a gap must be told.
 */
export class Sealing {
  readonly #deps: SealingDeps
  /** Whether sealing has fallen far behind. */
  urgent = false
  /** What is known of repeats at the position where the last seal ended; null when that is to be looked up. */
  #known: Known | null = null

  constructor(deps: SealingDeps) {
    this.#deps = deps
  }

  /** The position that every dataset covers. */
  get #covered(): Position {
    return lowest(...this.#deps.tables.map(({ covered }) => covered))
  }

  /** Reads the newest versions, and tells the log what they cover. */
  async #look(): Promise<Snapshot[]> {
    const { tables, log } = this.#deps
    const bases = await Promise.all(tables.map((table) => table.look()))
    log.covered(this.#covered)
    return bases
  }

  get partition(): number {
    return this.#deps.partition
  }

  /** Blocks that wait for the lake. */
  get waiting(): number {
    const { log, partition } = this.#deps
    return log.end(partition) - offsetIn(this.#covered, partition)
  }

  /** Seals everything that was durable when it was called. */
  async sealAll(): Promise<void> {
    const { log, partition, closed } = this.#deps
    const target = log.end(partition)
    // A dataset that has nothing in what was read so far is not moved on yet: what was read stands for it until the end.
    let read = BEGINNING
    while (!closed()) {
      const bases = await this.#look()
      if (offsetIn(this.#covered, partition) >= target) return
      const from = Math.max(read, offsetIn(this.#covered, partition))
      const sealed = await this.#seal(bases, from, target)
      // Another writer was first: what was read may not be in the lake.
      read = sealed === null ? BEGINNING : sealed
    }
  }

  /** Seals a range; where it ends, null when another writer was first. */
  async #seal(bases: readonly Snapshot[], from: number, target: number): Promise<number | null> {
    const { log, partition, tables, encoder } = this.#deps
    const fromMs = Math.min(...bases.map((base) => coveredMs(base, partition)))
    const { states } = this.#deps
    const known = states === null ? null : await this.#knownAt(states, from, fromMs)
    const range = await readRange(log, { partition, from, fromMs }, target)
    if (range.to === from) return null
    const isLacking = range.gaps.length > 0 || known?.repeats.isBegunAnew === true
    if (isLacking && (await this.#isOvertaken(from))) return null
    let repeats = known?.repeats.copy() ?? null
    const accepted = acceptAll(repeats, range)
    const behind = log.end(partition) - from
    this.urgent = behind > (this.urgent ? CALM_BLOCKS : URGENT_BLOCKS)
    const datasets = tables.map(({ dataset, covered }) => ({ dataset, after: offsetIn(covered, partition) }))
    const { blocks, files, refused } = await encoder.encode(datasets, accepted, this.urgent)
    const isWhole = blocks === accepted.length
    const sealed = isWhole ? range : upToBlock(range, accepted[blocks - 1]!.block)
    if (known !== null && !isWhole) {
      repeats = known.repeats.copy()
      acceptAll(repeats, sealed)
    }
    const { to, toMs } = sealed
    const unknown = repeats?.isBegunAnew ? [{ partition, from, to, fromMs, toMs, reason: LOST }] : []
    const gaps = mergeGaps(sealed.gaps, this.#refused(sealed, refused), known?.gaps ?? [], unknown)
    if (repeats !== null) await this.#keep(repeats, sealed.to)
    let isLost = false
    for (const [i, table] of tables.entries()) {
      const own = files.filter(({ dataset }) => dataset === table.dataset.name)
      const { after } = datasets[i]!
      const lacking = gapsAfter(gaps, after)
      const isDue = own.length > 0 || lacking.length > 0 || sealed.to >= target
      if (!isDue || after >= sealed.to) continue
      if (!(await this.#commit(table, bases[i]!, own, { ...sealed, gaps: lacking }))) isLost = true
    }
    if (isLost) this.#known = null
    return isLost ? null : sealed.to
  }

  /** Whether another writer has sealed what lies behind `from`: it may then have trimmed the log, and removed what was known there. */
  async #isOvertaken(from: number): Promise<boolean> {
    await this.#look()
    const isOvertaken = offsetIn(this.#covered, this.partition) > from
    if (isOvertaken) this.#known = null
    return isOvertaken
  }

  /** What is known of repeats where a seal begins. */
  async #knownAt(states: RepeatStates, position: number, atMs: number): Promise<Known> {
    const { log, partition } = this.#deps
    const name = { partition, position }
    if (this.#known?.position !== position)
      this.#known = { position, ...(await states.begin(log, name, atMs)) }
    if (!this.#known.repeats.isBegunAnew) return this.#known
    // Another reader may know by now.
    const repeats = await states.found(log, name)
    if (repeats !== null) this.#known = { position, repeats, gaps: [] }
    return this.#known
  }

  /** Before the commits at that position, so that a writer that begins there finds it. */
  async #keep(repeats: Repeats, position: number): Promise<void> {
    const { partition, states } = this.#deps
    await states?.keep('lake-writer', { partition, position }, repeats)
    this.#known = { position, repeats, gaps: [] }
  }

  /** Blocks that fit no dataset are damage: said, and left out. */
  #refused(range: SealRange, refused: readonly { offset: number; reason: string }[]): Gap[] {
    const { partition, logLine } = this.#deps
    return refused.map(({ offset, reason }) => {
      logLine(`lake writer: block ${offset} is left out: ${reason}`)
      const { logTimeMs } = range.blocks.find((block) => block.offset === offset)!
      return { partition, from: offset - 1, to: offset, fromMs: logTimeMs, toMs: logTimeMs, reason }
    })
  }

  /** Whether it was committed, and no other writer was first. */
  async #commit(
    { table }: MessageTable,
    base: Snapshot,
    sealed: readonly SealFile[],
    { gaps, to, toMs }: SealRange,
  ): Promise<boolean> {
    const files = []
    for (const { bytes, about } of sealed) files.push(await table.writeFile(bytes, about))
    const facts = logFacts(base)
    try {
      await table.commit(base, {
        operation: 'SEAL',
        add: files,
        dataChange: true,
        txns: { [sealApp(this.#deps.partition)]: { version: to, lastUpdatedMs: toMs } },
        ...(gaps.length > 0
          ? { configuration: withLogFacts(base, { ...facts, gaps: gaps.reduce(withGap, facts.gaps) }) }
          : {}),
        info: { to },
      })
      return true
    } catch (error) {
      if (!isError(error, 'E_CONFLICT')) throw error
      return false
    }
  }
}

interface Known extends Begun {
  readonly position: number
}

/**
 * Of what is missing only what a table does not cover: it holds what lies before, although it could not be read for a dataset that was
 * behind.
 */
function gapsAfter(gaps: readonly Gap[], after: number): Gap[] {
  return gaps.filter(({ to }) => to > after).map((gap) => ({ ...gap, from: Math.max(gap.from, after) }))
}
