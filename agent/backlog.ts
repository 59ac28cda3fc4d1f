import type { Message } from '../schemas/message.ts'

/** An agent's id is so many bytes by chance. */
export const AGENT_ID_BYTES = 16

/** What an agent sampled: it has no number yet, and no attributes. */
export type Sample = Omit<Message, 'agent' | 'seq' | 'attributes'>

/** A sample that waits for its acknowledgement, and its number. */
export interface Queued extends Sample {
  readonly seq: number
}

/** Samples that no collector acknowledged yet: strictly first in, first out, bounded. When it is full the oldest go, and are counted. */
export interface Backlog {
  /** The id under which they are numbered. */
  readonly agent: string
  readonly size: number
  /** Number of the sample added last, 0 when there was none. */
  readonly highestSeq: number
  /**
   * Samples given up since the start (too many, not to be kept, or damaged), and before it as far as no collector was told.
   * One that was on its way may have arrived.
   */
  readonly lost: number
  /** Adds a sample; resolves when it is kept as safely as it ever will be. Throws `E_DISK`, `E_DISK_FULL`: then it is lost. */
  push(sample: Sample): Promise<void>
  /** Returns the samples above `seq`, in order, at most `max`. Throws `E_DISK`. */
  after(seq: number, max: number): Promise<readonly Queued[]>
  /** A collector knows of so many more of those that are lost. */
  told(samples: number): void
  /** Everything up to `seq` is durable elsewhere. */
  settled(seq: number): void
  /** Numbers what waits from 1 again, under a new id. */
  renumber(agent: string): Promise<void>
  close(): Promise<void>
}
