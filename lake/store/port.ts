/**
 * An object store: what the lake stands on. Keys are relative, with `/` between parts. Implementers must honour:
 *
 * - `put` and `putIfAbsent` are atomic: a reader sees the whole object or none, and when they return it is durable.
 * - `putIfAbsent` of one key by several callers returns true to exactly one.
 * - A put that throws may have had its effect, or have it later (`E_STORE_AMBIGUOUS`), unless it throws
 *   `E_STORE`, which says that it had none and never will.
 * - `get` sees every put and delete that returned before it was called. `list` may lag behind by minutes: it is where to begin
 *   looking, and what must be known is asked for by name.
 */
export interface ObjectStore {
  /** The object, null when absent. */
  get(key: string): Promise<Uint8Array | null>
  /** Whether the object is there, as `get` would see it; absent where `get` alone tells. */
  has?(key: string): Promise<boolean>
  put(key: string, bytes: Uint8Array): Promise<void>
  /** False when the key exists already. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>
  /** The objects whose key begins with `prefix` and, when given, sorts after `after`; sorted by key. */
  list(prefix: string, after?: string): Promise<StoredObject[]>
  /** Absent is no error. */
  delete(key: string): Promise<void>
  /** Where a local engine can read the object as a file; absent where there is no such place. */
  path?(key: string): string
  /**
   * Where a program on any machine can read the object: `file:///DIR/KEY` or `s3://BUCKET/KEY`, in which nothing is
   * percent-encoded; absent where there is no such place.
   */
  url?(key: string): string
  /**
   * Where that is not so: makes a local copy of an object that never changes, and gives its path. `check` takes the bytes, null
   * when absent, and gives them back or throws what is wrong with them. The copy stays for an hour at least.
   */
  localCopy?(key: string, check: (bytes: Uint8Array | null) => Uint8Array): Promise<string>
}

export interface StoredObject {
  readonly key: string
  readonly size: number
  readonly modifiedMs: number
}
