import type { Columns } from './message.ts'

/** The messages that the collector buffered together and the log holds as one record. */
export interface Block {
  readonly partition: number
  readonly offset: number
  /** Log time: when the block was appended, milliseconds since 1970. Never less than its predecessor's. */
  readonly logTimeMs: number
  readonly messages: Columns
  /** What tells it from all other blocks, where its messages have no numbers and it may stand in the log twice; else null. */
  readonly id?: string | null
  /** The messages as the log stores them, where it has them at hand; a layer that only passes them on decodes nothing. */
  readonly payload?: Uint8Array
}

/** The most messages one block can hold: what its two-byte count can name. */
export const BLOCK_MESSAGES_LIMIT = 65_535
