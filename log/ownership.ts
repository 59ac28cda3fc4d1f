import type { LogReader } from './port.ts'

/**
 * Which partitions of the log a worker reads: all of them, or those that a group of workers hands it. It is a hint, which may
 * come late or be wrong: two may hold one partition for a while. Only the compare-and-set of the commits keeps them apart.
 */
export interface Ownership {
  /** The partitions to read now, ascending. */
  owned(): readonly number[]
  /** Calls `fn` whenever that changed; the result stops it. */
  onChange(fn: () => void): () => void
}

/** The worker that reads every partition there is. */
export function ownsAll(log: Pick<LogReader, 'partitions'>): Ownership {
  return { owned: () => log.partitions(), onChange: () => () => {} }
}
