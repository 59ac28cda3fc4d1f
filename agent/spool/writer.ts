import { describeError, isError } from '../../schemas/errors.ts'
import type { Disk, DiskFile } from '../../schemas/ports/disk.ts'
import { pathOf } from './folder.ts'
import type { SpoolHead, SpoolMark } from './format.ts'
import { frame } from './frame.ts'
import type { SpoolState } from './state.ts'

export interface SpoolWriterDeps {
  readonly disk: Disk
  readonly dir: string
  logLine(line: string): void
}

/**
 * Writes and removes a spool's files, and keeps its state in step with them. One call at a time.
 *
 * - A file is durable with its name before a sample goes into it, and a sample before it counts as kept.
 * - What is given up is written down as lost, durably, before its file is removed: `giveUp` only notes the path.
 */
export class SpoolWriter {
  readonly #deps: SpoolWriterDeps
  readonly #state: SpoolState
  /** The newest file, open; absent while the disk had no room to begin it. */
  #active: DiskFile | undefined
  /** The mark that was written last. */
  #written: SpoolMark = { settled: 0, lost: 0 }
  /** Files to be removed once a mark says what was lost with them. */
  #givenUp: string[]

  constructor(deps: SpoolWriterDeps, state: SpoolState, givenUp: readonly string[]) {
    this.#deps = deps
    this.#state = state
    this.#givenUp = [...givenUp]
  }

  /** Begins a file. Throws `E_DISK`, `E_DISK_FULL`: then nothing has changed. */
  async begin(head: SpoolHead, path = pathOf(this.#deps.dir, head)): Promise<void> {
    const { disk, dir } = this.#deps
    // A file that holds nothing may be there; the new head takes its place.
    const renews = this.#state.files.at(-1)?.path === path
    const mark = this.#state.mark()
    const bytes = Buffer.concat([frame(head), frame(mark)])
    const file = await disk.open(path, { create: true })
    try {
      // In this order, so that the head of an empty file is never gone.
      await file.write(0, bytes)
      await file.truncate(bytes.length)
      await file.sync()
      await disk.syncDir(dir)
    } catch (error) {
      await file.close()
      // On a full disk it is tried again with every sample. A head that was written must not speak for what comes meanwhile.
      if (renews) await this.stop()
      else await this.#remove([path])
      throw error
    }
    await this.stop()
    this.#active = file
    this.#written = mark
    this.#state.begin(path, head, bytes.length)
    this.#givenUp = this.#givenUp.filter((one) => one !== path)
    await this.removeGivenUp()
  }

  /** Begins a file; where the disk has no room the first sample that finds some does. Throws `E_DISK`. */
  async beginOrWait(head: SpoolHead): Promise<void> {
    try {
      await this.begin(head)
    } catch (error) {
      if (!isError(error, 'E_DISK_FULL')) throw error
      this.#deps.logLine(`agent: ${describeError(error)}; samples are lost until there is room`)
      const path = pathOf(this.#deps.dir, head)
      const before = this.#state.files.at(-1)
      // An empty file of that name stays until it is begun anew: its head may be of earlier columns.
      this.#state.begin(path, head, before?.path === path ? before.bytes : 0)
    }
  }

  /**
   * Begins the file for which there was no room, if it waits; where there is none yet, in the place of the one before, if
   * that is settled. Throws `E_DISK`, `E_DISK_FULL`.
   */
  async beginAtLast(): Promise<void> {
    if (this.#active !== undefined) return
    const { head } = this.#state.newest
    try {
      await this.begin(head)
    } catch (error) {
      if (!isError(error, 'E_DISK_FULL')) throw error
      // Room comes first; what was lost is in the mark of the file that is begun there.
      if (this.#givenUp.length > 0) {
        await this.removeGivenUp()
        return this.beginAtLast()
      }
      const before = this.#state.files.at(-2)
      if (before === undefined || before.last > this.#state.settledTo) throw error
      this.#state.takePlaceBefore()
      await this.begin(head, before.path)
    }
  }

  /** Makes so many records durable, behind a mark where it is behind. Throws `E_DISK`, `E_DISK_FULL`: then none of them is kept. */
  async append(records: number, bytes: Uint8Array): Promise<void> {
    const mark = this.#state.mark()
    const all = this.#isBehind() ? Buffer.concat([frame(mark), bytes]) : bytes
    const file = this.#active!
    const end = this.#state.newest.bytes
    try {
      await file.write(end, all)
      await file.sync()
    } catch (error) {
      // What was written must not come back: its numbers are given out again.
      await file.truncate(end)
      throw error
    }
    this.#written = mark
    this.#state.wrote(records, all.length)
  }

  /** Makes the mark durable, where it is behind and there is a file for it, and removes what was given up before. */
  async appendMark(): Promise<void> {
    if (this.#active === undefined || !this.#isBehind()) return
    await this.append(0, Buffer.alloc(0))
    await this.removeGivenUp()
  }

  #isBehind(): boolean {
    const { settled, lost } = this.#state.mark()
    return settled !== this.#written.settled || lost !== this.#written.lost
  }

  giveUp(path: string): void {
    this.#givenUp.push(path)
  }

  async removeGivenUp(): Promise<void> {
    const paths = this.#givenUp
    this.#givenUp = []
    await this.#remove(paths)
  }

  /** Removes the files of which nothing waits. */
  async removeSettled(): Promise<void> {
    // The newest on disk says which id and which numbers are in use: it stays until there is another.
    const kept = this.#active === undefined ? 2 : 1
    await this.#remove(this.#state.takeSettled(kept))
  }

  /** Removes files that nobody needs; one that stays is removed at the next start. */
  async #remove(paths: readonly string[]): Promise<void> {
    try {
      for (const path of paths) await this.#deps.disk.remove(path)
    } catch (error) {
      this.#deps.logLine(`agent: ${describeError(error)}`)
    }
  }

  /** Closes the file that is written. */
  async stop(): Promise<void> {
    await this.#active?.close()
    this.#active = undefined
  }
}
