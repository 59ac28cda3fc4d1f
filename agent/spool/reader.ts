import type { Disk } from '../../schemas/ports/disk.ts'
import type { SpoolFile } from './folder.ts'
import { readSpool, type SpoolRecord } from './format.ts'
import type { SpoolState } from './state.ts'

/** Newest samples kept in memory, so that an agent that keeps up reads no disk. */
const RECENT_MAX = 1_000

/** Reads what waits in a spool: from memory, or file by file from disk. */
export class SpoolReader {
  readonly #disk: Disk
  readonly #state: SpoolState
  readonly #gauges: readonly string[]
  #recent: readonly SpoolRecord[] = []
  /** The records of one file as it was with so many bytes, for draining. */
  #loaded: {
    readonly file: SpoolFile
    readonly bytes: number
    readonly records: readonly SpoolRecord[]
  } | null = null

  /** `gauges` are those of its records, in that order. */
  constructor(disk: Disk, state: SpoolState, gauges: readonly string[]) {
    this.#disk = disk
    this.#state = state
    this.#gauges = gauges
  }

  /** These follow the records that are known. */
  remember(records: readonly SpoolRecord[]): void {
    this.#recent = [...this.#recent, ...records].slice(-RECENT_MAX)
  }

  /** Returns the records above `number` of the first file that has any. Throws `E_DISK`. */
  async after(number: number): Promise<readonly SpoolRecord[]> {
    const inMemory = this.#recent[0]?.number ?? this.#state.newest.last + 1
    if (number + 1 >= inMemory) return above(number, this.#recent)
    for (const file of this.#state.files.filter(({ last }) => last > number)) {
      const found = above(number, await this.#recordsOf(file))
      if (found.length > 0) return found
    }
    return []
  }

  async #recordsOf(file: SpoolFile): Promise<readonly SpoolRecord[]> {
    const { path, bytes } = file
    if (this.#loaded?.file !== file || this.#loaded.bytes !== bytes) {
      const found = (await this.#disk.readFile(path)) ?? new Uint8Array()
      const { records } = readSpool(found, this.#gauges)
      this.#loaded = { file, bytes, records }
    }
    return this.#loaded.records
  }
}

function above(number: number, records: readonly SpoolRecord[]): readonly SpoolRecord[] {
  const from = records.findIndex((record) => record.number > number)
  return from < 0 ? [] : records.slice(from)
}
