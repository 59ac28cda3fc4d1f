import type { Access } from '../../schemas/ports/access.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Intake } from '../intake/intake.ts'
import type { LineDecoder } from './decode/decoder.ts'
import type { LineBuffer } from './decode/line-buffer.ts'

/** What all connections of a listener have in common. */
export interface Shared {
  readonly oldestMs: number
  readonly idleMs: number
  readonly clock: Clock
  /** Null: any peer may send. */
  readonly access: Access | null
  readonly intake: Intake
  /** Memory where the lines of all connections are read, one chunk after the other. */
  readonly lineBuffer: LineBuffer
  /** One for each dataset. */
  readonly decoders: ReadonlyMap<string, LineDecoder>
}
