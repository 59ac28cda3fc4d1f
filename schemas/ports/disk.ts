/**
 * A disk, as far as Tidemark needs one. Paths are absolute. Implementers must honour:
 *
 * - What `write` wrote is kept through a crash of the process, and through a power loss only once `sync`
 *   returned. Before that any part of it may be lost, torn at any byte.
 * - A name made by `open`, `rename`, `link` or `remove` survives a power loss only once `syncDir` of its
 *   folder returned.
 * - Failures throw `TidemarkError` with `E_DISK` or, when there is no room, `E_DISK_FULL`.
 */
export interface Disk {
  /**
   * Opens for reading and writing. `create` makes the file where absent, with `secret` for its owner's eyes alone; otherwise
   * absent is null.
   */
  open(path: string, options: { create: true; secret?: true }): Promise<DiskFile>
  open(path: string): Promise<DiskFile | null>
  /** The whole file, null when absent. */
  readFile(path: string): Promise<Uint8Array | null>
  /** Names in a folder, sorted; none when it is absent. */
  list(dir: string): Promise<string[]>
  /** Size in bytes and modification time of a file or folder, null when absent. */
  stat(path: string): Promise<{ size: number; modifiedMs: number; isFolder: boolean } | null>
  /** Makes a folder and those above it. */
  makeDir(dir: string): Promise<void>
  /** Atomically replaces `to`. */
  rename(from: string, to: string): Promise<void>
  /** Gives a file a second name; false when `to` exists. */
  link(from: string, to: string): Promise<boolean>
  /** Removes a name; absent is no error. */
  remove(path: string): Promise<void>
  syncDir(dir: string): Promise<void>
  /**
   * Holds the lock named by `path` until released or until the process dies, however it dies.
   * Throws `E_LOCKED` naming the holder when another process (or this one) holds it.
   */
  lock(path: string, holder: string): Promise<{ release(): Promise<void> }>
}

export interface DiskFile {
  size(): Promise<number>
  /** Up to `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** Makes everything written durable (fdatasync). */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}
