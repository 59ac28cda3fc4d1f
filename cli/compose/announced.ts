import { describeError, isError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { removeOwn, writeOwn } from '../access/tokens.ts'
import { type Addresses, removeAddresses, writeAddresses } from './addresses.ts'

const RETRY_MS = 1_000

/**
 * The files that a running `up` is found by: its own token and its addresses, from ready to stopped. On a full disk they are written as
 * soon as there is room.
 */
export class Announced {
  readonly #dataDir: string
  readonly #host: { readonly disk: Disk; readonly clock: Clock; logLine(line: string): void }
  #failing: string | null = null
  #trying: Promise<void> = Promise.resolve()
  #cancel = () => {}
  #closed = false

  constructor(dataDir: string, host: { disk: Disk; clock: Clock; logLine(line: string): void }) {
    this.#dataDir = dataDir
    this.#host = host
  }

  /** Writes them, at once or later. Throws `E_DISK`. */
  async write(addresses: Addresses, own: string): Promise<void> {
    const { disk, clock, logLine } = this.#host
    try {
      await writeOwn(disk, this.#dataDir, own)
      // Last: a process that waits for it finds the token.
      await writeAddresses(disk, this.#dataDir, addresses)
      this.#failing = null
    } catch (error) {
      if (!isError(error, 'E_DISK_FULL')) throw error
      if (this.#failing === null) logLine(`${describeError(error)}; commands cannot find this process yet`)
      this.#failing = describeError(error)
      if (this.#closed) return
      this.#cancel = clock.after(RETRY_MS, () => {
        this.#trying = this.write(addresses, own).catch((later) => {
          this.#failing = describeError(later)
          logLine(this.#failing)
        })
      })
    }
  }

  status(): { readonly state: 'ok' | 'failing'; readonly reason: string | null } {
    return { state: this.#failing === null ? 'ok' : 'failing', reason: this.#failing }
  }

  /** Removes them. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    await this.#trying
    await removeAddresses(this.#host.disk, this.#dataDir)
    await removeOwn(this.#host.disk, this.#dataDir)
  }
}
