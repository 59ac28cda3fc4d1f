import type { TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'

/** What layers have of the machine. */
export interface Host {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  logLine(line: string): void
}

/** The same for a process that may own a lake. */
export interface OwnerHost extends Host {
  /** Ends the wait for another owner's lease to run out. */
  readonly signal?: AbortSignal
  /** Called when this process must stop. */
  failed?(error: TidemarkError): void
}
