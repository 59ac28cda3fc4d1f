import type { Access } from '../../schemas/ports/access.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Blocks } from '../intake/blocks.ts'
import type { Counts } from '../intake/counts.ts'
import type { DatasetIntake } from '../intake/dataset-intake.ts'
import type { Rejects } from '../intake/rejects.ts'
import type { Sessions } from '../intake/sessions.ts'
import type { LineDecoder } from './decode/decoder.ts'
import type { LineBuffer } from './decode/line-buffer.ts'

/** What all connections of a collector have in common. */
export interface Shared {
  readonly oldestMs: number
  readonly idleMs: number
  readonly clock: Clock
  /** Where the lines of all connections are read, one chunk after the other. */
  readonly lineBuffer: LineBuffer
  /** What decodes lines, by dataset. */
  readonly decoders: ReadonlyMap<string, LineDecoder>
  readonly intakes: ReadonlyMap<string, DatasetIntake>
  /** Makes room for new names where too many are known; whether there is now. */
  makeRoom(): boolean
  readonly blocks: Blocks
  readonly sessions: Sessions
  readonly rejects: Rejects
  /** Null: anyone may send. */
  readonly access: Access | null
  readonly counts: Counts
  /** Whether the log takes more; while not, nothing is read but hellos. */
  congested(): boolean
}
