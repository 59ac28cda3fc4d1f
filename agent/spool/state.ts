import type { SpoolFile, SpoolFolder } from './folder.ts'
import type { SpoolHead, SpoolMark } from './format.ts'

/**
 * What a spool holds and what became of it, in numbers alone. Records count from 1 for as long as the spool lives; the
 * number of a sample (`seq`) is that of its record less `base` of the newest file.
 *
 *     given up, or settled │ waiting                      │ not given out yet
 *                        gone                   highestSeq + base
 */
export class SpoolState {
  /** In the order of their records. The newest is the one that is written, or will be once there is room for it. */
  readonly files: SpoolFile[]
  /** Everything up to this record is durable elsewhere, or given up. */
  settledTo: number
  /** Samples that were given up, as far as no collector was told before this start. */
  lost: number
  /** Those of them of which a collector was told since. */
  told = 0

  constructor({ files, mark }: Pick<SpoolFolder, 'files' | 'mark'>) {
    this.files = [...files]
    this.settledTo = mark.settled
    this.lost = mark.lost
  }

  get newest(): SpoolFile {
    return this.files.at(-1)!
  }

  get agent(): string {
    return this.newest.head.agent
  }

  get base(): number {
    return this.newest.head.base
  }

  /** Returns the number of the sample that was added last, 0 when there was none under this id. */
  get highestSeq(): number {
    return this.newest.last - this.base
  }

  /** Returns the last record that waits no more: settled, or given up. */
  get gone(): number {
    return Math.max(this.settledTo, this.files[0]!.head.first - 1)
  }

  /** Returns how many samples wait. */
  get size(): number {
    return this.files.reduce((sum, file) => sum + this.#waitingIn(file), 0)
  }

  /** Returns what is to be remembered beyond this start. */
  mark(): SpoolMark {
    return { settled: this.settledTo, lost: this.lost - this.told }
  }

  settled(seq: number): void {
    this.settledTo = Math.max(this.settledTo, seq + this.base)
  }

  /** Adds the newest file, which is empty; it replaces one of the same path. */
  begin(path: string, head: SpoolHead, bytes: number): void {
    if (this.files.at(-1)?.path === path) this.files.pop()
    this.files.push({ path, head, bytes, count: 0, last: head.first - 1 })
  }

  /** The newest file is to be written under the path of the one before it, which goes. */
  takePlaceBefore(): void {
    const [before, waiting] = this.files.splice(-2, 2)
    this.files.push({ ...waiting!, path: before!.path })
  }

  /** So many records, in so many bytes, stand at the end of the newest file. */
  wrote(records: number, bytes: number): void {
    const { newest } = this
    newest.bytes += bytes
    newest.count += records
    newest.last += records
  }

  /** Gives up the oldest file; what waits in it is lost. Returns its path. */
  giveUpOldest(): string {
    const oldest = this.files.shift()!
    this.lost += this.#waitingIn(oldest)
    this.settledTo = Math.max(this.settledTo, oldest.last)
    return oldest.path
  }

  /** Takes out the files of which nothing waits, but for the newest so many. Returns their paths. */
  takeSettled(keep: number): string[] {
    const paths: string[] = []
    while (this.files.length > keep && this.files[0]!.last <= this.settledTo)
      paths.push(this.files.shift()!.path)
    return paths
  }

  /** Numbers that a damage took are no samples. */
  #waitingIn({ count, last }: SpoolFile): number {
    return Math.min(count, Math.max(0, last - this.settledTo))
  }
}
