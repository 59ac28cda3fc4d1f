import type { Dataset } from '../../schemas/dataset.ts'
import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { AGENT_ID_BYTES, type Backlog, type Queued, type Sample } from '../backlog.ts'
import { columnsOf, gaugesIn, misfitOf, type SpoolColumns } from './columns.ts'
import { readFolder, type SpoolFolder } from './folder.ts'
import { encodeRecord, type SpoolHead, type SpoolRecord } from './format.ts'
import { SpoolReader } from './reader.ts'
import { filesToGiveUp, needsAnotherFile, roomOf, type SpoolRoom } from './room.ts'
import { SpoolState } from './state.ts'
import { SpoolWriter } from './writer.ts'

export interface SpoolConfig {
  readonly dir: string
  /** What its samples are of. */
  readonly dataset: Dataset
  /** All files together. */
  readonly bytesMax?: number
}

export interface SpoolDeps {
  readonly disk: Disk
  readonly random: Random
  logLine(line: string): void
}

const BYTES_MAX = 256 << 20
/** Less would be files of a few samples. */
export const SPOOL_BYTES_MIN = 64 << 10

/**
 * Opens a backlog on disk, which outlives the agent: what was pushed is synced before it is sent, pushes that wait together
 * share a write and a sync.
 *
 *     push ─▶ records behind each other, file after file ─▶ sent in order ─▶ acknowledged: whole files are removed
 *
 * The id stands at the head of each file; a new id begins a new file. What is settled and lost is written along with the
 * next sample: after a restart the collector's welcome knows better what is settled. On a full disk it opens nevertheless:
 * what waits can be sent, and makes room.
 *
 * Throws `E_LOCKED` when another agent uses the folder, `E_COLUMNS` when a file holds samples of something else, `E_DISK`.
 */
export async function openSpool(config: SpoolConfig, deps: SpoolDeps): Promise<Backlog> {
  const { disk, logLine } = deps
  const { dir, dataset, bytesMax = BYTES_MAX } = config
  await disk.makeDir(dir)
  const lock = await disk.lock(`${dir}/lock`, `agent, process ${process.pid}`)
  try {
    const columns = columnsOf(dataset)
    const gauges = gaugesIn(columns)
    const folder = await readFolder(disk, dir, gauges)
    refuseOthers(folder, dataset)
    for (const damage of folder.damage) logLine(`agent: ${damage}`)
    const state = new SpoolState(folder)
    const reader = new SpoolReader(disk, state, gauges)
    reader.remember(folder.newest)
    const writer = new SpoolWriter({ disk, dir, logLine }, state, folder.headless)
    await writer.beginOrWait(firstHead(folder, columns, deps.random))
    await writer.removeSettled()
    return new Spool(state, reader, writer, { room: roomOf(bytesMax), lock, logLine })
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Throws `E_COLUMNS` when a file holds what cannot be read as samples of `dataset`. */
function refuseOthers({ files }: SpoolFolder, dataset: Dataset): void {
  for (const { path, head } of files) {
    const reason = misfitOf(head, dataset)
    if (reason !== null)
      throw new TidemarkError(
        'E_COLUMNS',
        `the samples in ${path} are refused: ${reason}; the file is kept, name another --spool`,
      )
  }
}

/** Returns the head of the file that this start begins. An id belongs to its spool: where none is left there is a new one. */
function firstHead({ files, next }: SpoolFolder, columns: SpoolColumns, random: Random): SpoolHead {
  const { agent, base } = files.at(-1)?.head ?? { agent: random.hex(AGENT_ID_BYTES), base: 0 }
  return { agent, base, first: next, ...columns }
}

interface Pending {
  readonly sample: Sample
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Held {
  readonly room: SpoolRoom
  readonly lock: { release(): Promise<void> }
  logLine(line: string): void
}

/** The backlog over state, reader and writer: which samples wait to be kept, and when what is written. */
class Spool implements Backlog {
  readonly #state: SpoolState
  readonly #reader: SpoolReader
  readonly #writer: SpoolWriter
  readonly #held: Held
  /** What is written goes one after the other. */
  readonly #inTurn = serialQueue()
  #pending: Pending[] = []
  #flushDue = false
  /** Whether this outage's first loss was said. */
  #fullSaid = false

  constructor(state: SpoolState, reader: SpoolReader, writer: SpoolWriter, held: Held) {
    this.#state = state
    this.#reader = reader
    this.#writer = writer
    this.#held = held
  }

  get agent(): string {
    return this.#state.agent
  }

  get size(): number {
    return this.#state.size
  }

  get highestSeq(): number {
    return this.#state.highestSeq
  }

  get lost(): number {
    return this.#state.lost
  }

  push(sample: Sample): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ sample, resolve, reject })
      this.#flushSoon()
    })
  }

  async after(seq: number, max: number): Promise<readonly Queued[]> {
    const records = await this.#reader.after(Math.max(seq + this.#state.base, this.#state.gone))
    return records
      .slice(0, max)
      .map(({ number, ...sample }) => ({ ...sample, seq: number - this.#state.base }))
  }

  told(samples: number): void {
    this.#state.told += samples
    // Soon, so that after a restart they are not told again.
    this.#flushSoon()
  }

  settled(seq: number): void {
    this.#state.settled(seq)
    if (this.#state.size === 0) this.#fullSaid = false
    void this.#writer.removeSettled()
  }

  renumber(agent: string): Promise<void> {
    return this.#inTurn(() => this.#writer.begin(this.#nextHead({ agent, base: this.#state.gone })))
  }

  async close(): Promise<void> {
    this.#flushSoon()
    await this.#inTurn(() => this.#writer.stop())
    await this.#held.lock.release()
  }

  /** Returns the head of a file behind the newest. */
  #nextHead(changed: Partial<SpoolHead> = {}): SpoolHead {
    const { head, last } = this.#state.newest
    return { ...head, ...changed, first: last + 1 }
  }

  #flushSoon(): void {
    if (this.#flushDue) return
    this.#flushDue = true
    void this.#inTurn(() => this.#flush())
  }

  /** Writes all that was pushed meanwhile, or if that is nothing the mark. */
  async #flush(): Promise<void> {
    this.#flushDue = false
    const group = this.#pending
    this.#pending = []
    try {
      if (group.length > 0) await this.#write(group)
      else await this.#writer.appendMark()
      for (const { resolve } of group) resolve()
    } catch (error) {
      this.#state.lost += group.length
      for (const { reject } of group) reject(error)
    }
  }

  async #write(group: readonly Pending[]): Promise<void> {
    await this.#writer.beginAtLast()
    const from = this.#state.newest.last + 1
    const records: SpoolRecord[] = group.map(({ sample }, i) => ({ number: from + i, ...sample }))
    const bytes = Buffer.concat(records.map(encodeRecord))
    await this.#makeRoom(bytes.length)
    try {
      await this.#writer.append(records.length, bytes)
    } catch (error) {
      // Room comes first; what was lost is in the next mark that finds some.
      if (isError(error, 'E_DISK_FULL')) await this.#writer.removeGivenUp()
      throw error
    }
    this.#reader.remember(records)
    await this.#writer.removeGivenUp()
  }

  /** Gives up the oldest files where there is no room for so many bytes. */
  async #makeRoom(bytes: number): Promise<void> {
    const { room, logLine } = this.#held
    if (needsAnotherFile(room, this.#state.newest, bytes)) await this.#writer.begin(this.#nextHead())
    for (let count = filesToGiveUp(room, this.#state.files, bytes); count > 0; count--) {
      this.#writer.giveUp(this.#state.giveUpOldest())
      if (!this.#fullSaid) logLine('agent: the spool is full, the oldest samples are lost')
      this.#fullSaid = true
    }
  }
}
