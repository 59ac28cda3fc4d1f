import type { ObjectStore } from './port.ts'
import type { AllCounts } from './s3/counts.ts'
import type { Credentials } from './s3/credentials.ts'
import type { Endpoint } from './s3/place.ts'

/** A store that nothing was changed in yet. */
export interface OpenedStore {
  readonly store: ObjectStore
  /** Before anything relies on it: throws `E_CONFIG` for a store that does not keep what the port promises. */
  probe(): Promise<void>
  /**
   * Finishes or removes what a process that died was writing; makes the place where there is none. Only the one process that
   * writes may: it would take away what another is writing.
   */
  settle(): Promise<void>
  /** What the store was asked for so far; null where nobody pays for it. */
  requests(): AllCounts | null
  /** How another program reaches the bucket, with the key that counts now; null for a folder. Throws `E_STORE`. */
  access(): Promise<BucketAccess | null>
}

/** What opens a bucket. */
export interface BucketAccess extends Endpoint {
  readonly credentials: Credentials
}
