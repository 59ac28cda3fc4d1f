import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk, DiskFile } from '../../schemas/ports/disk.ts'
import { simRandom } from './random.ts'

/** Bytes of one file: what a reader sees, and what would be left after a power loss. */
interface Inode {
  bytes: Uint8Array
  synced: Uint8Array
  modifiedMs: number
}

/**
 * A disk in memory that fails like a real one. A crash of the process keeps every write; a power loss keeps what was
 * synced and, of the rest, a prefix torn at any byte. Names made without `syncDir` may be gone or, where they replaced
 * or removed another, be the old ones.
 */
export class SimDisk implements Disk {
  readonly #random: Random
  readonly #clock: Clock | null
  #names = new Map<string, Inode>()
  /** Names as a power loss would leave them at least. */
  #durable = new Map<string, Inode>()
  /** What stands directly in each folder; null when a name has changed since. */
  #folders: Map<string, Set<string>> | null = null
  readonly #locks = new Map<string, string>()
  /** Bytes that fit in all; lowering it fills the disk. */
  capacityBytes = Number.POSITIVE_INFINITY
  /** Called before each effect; throws to make it fail. */
  fault: ((what: string, path: string) => void) | null = null
  syncs = 0
  /** Files that are open. */
  readonly handles = new Set<DiskFile>()

  constructor(seed: number, clock: Clock | null = null) {
    this.#random = simRandom(seed)
    this.#clock = clock
  }

  /** The process dies; with `power` everything unsynced is at risk. */
  crash(kind: 'process' | 'power'): void {
    this.#locks.clear()
    if (kind === 'process') return
    const kept = new Map<string, Inode>()
    for (const path of new Set([...this.#names.keys(), ...this.#durable.keys()])) {
      // Each folder entry reached the disk by chance, or did not.
      const inode = this.#random.float() < 0.5 ? this.#names.get(path) : this.#durable.get(path)
      if (inode !== undefined) kept.set(path, inode)
    }
    for (const inode of new Set(kept.values())) this.#tear(inode)
    this.#names = kept
    this.#folders = null
    this.#durable = new Map(kept)
  }

  #tear(inode: Inode): void {
    const { bytes, synced } = inode
    if (bytes === synced) return
    let same = 0
    while (same < Math.min(bytes.length, synced.length) && bytes[same] === synced[same]) same++
    if (same < bytes.length || same < synced.length) {
      const cut = same + Math.floor(this.#random.float() * (bytes.length - same + 1))
      const torn = new Uint8Array(Math.max(cut, synced.length))
      torn.set(synced)
      torn.set(bytes.subarray(0, cut))
      inode.bytes = torn
    }
    inode.synced = inode.bytes
  }

  /** Whether a power loss would leave the name as it is. */
  isDurable(path: string): boolean {
    return this.#durable.get(path) === this.#names.get(path)
  }

  /** The bytes of a file, to look at or to damage. */
  bytesOf(path: string): Uint8Array {
    return this.#need(path).bytes
  }

  /** Sets a file's bytes, as damage or as another program would. */
  put(path: string, bytes: Uint8Array): void {
    const copy = bytes.slice()
    const inode = { bytes: copy, synced: copy, modifiedMs: this.#nowMs() }
    this.#name(path, inode)
    this.#durable.set(path, inode)
  }

  /** Flips one bit in place, of what is read and of what a power loss leaves. */
  flip(path: string, at: number, bit: number): void {
    const { bytes, synced } = this.#need(path)
    for (const copy of new Set([bytes, synced])) if (at < copy.length) copy[at]! ^= 1 << bit
  }

  /** Removes a name for good, as a person would while nothing runs. */
  erase(path: string): void {
    this.#unname(path)
    this.#durable.delete(path)
  }

  has(path: string): boolean {
    return this.#names.has(path)
  }

  paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  open(path: string, options: { create: true }): Promise<DiskFile>
  open(path: string): Promise<DiskFile | null>
  async open(path: string, options?: { create: true }): Promise<DiskFile | null> {
    this.fault?.('open', path)
    let inode = this.#names.get(path)
    if (inode === undefined) {
      if (!options?.create) return null
      inode = { bytes: new Uint8Array(), synced: new Uint8Array(), modifiedMs: this.#nowMs() }
      this.#name(path, inode)
    }
    return this.#file(path, inode)
  }

  #file(path: string, inode: Inode): DiskFile {
    const file: DiskFile = {
      size: async () => inode.bytes.length,
      read: async (offset, length) => {
        this.fault?.('read', path)
        return inode.bytes.slice(offset, offset + length)
      },
      write: async (offset, bytes) => {
        this.fault?.('write', path)
        this.#write(path, inode, offset, bytes)
      },
      sync: async () => {
        this.fault?.('sync', path)
        this.syncs += 1
        // A write never changes bytes in place.
        inode.synced = inode.bytes
      },
      truncate: async (size) => {
        this.fault?.('truncate', path)
        const bytes = new Uint8Array(size)
        bytes.set(inode.bytes.subarray(0, size))
        inode.bytes = bytes
      },
      close: async () => void this.handles.delete(file),
    }
    this.handles.add(file)
    return file
  }

  #write(path: string, inode: Inode, offset: number, bytes: Uint8Array): void {
    const grown = Math.max(0, offset + bytes.length - inode.bytes.length)
    const room = this.capacityBytes - this.#usedIfLimited()
    const fits = grown <= room ? bytes : bytes.subarray(0, Math.max(0, bytes.length - (grown - room)))
    const next = new Uint8Array(Math.max(inode.bytes.length, offset + fits.length))
    next.set(inode.bytes)
    next.set(fits, offset)
    inode.bytes = next
    inode.modifiedMs = this.#nowMs()
    if (fits.length < bytes.length) throw new TidemarkError('E_DISK_FULL', `${path}: no space left`)
  }

  #nowMs(): number {
    return this.#clock?.nowMs() ?? 0
  }

  usedBytes(): number {
    let used = 0
    for (const inode of new Set(this.#names.values())) used += inode.bytes.length
    return used
  }

  #usedIfLimited(): number {
    return this.capacityBytes === Number.POSITIVE_INFINITY ? 0 : this.usedBytes()
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    this.fault?.('read', path)
    return this.#names.get(path)?.bytes.slice() ?? null
  }

  async list(dir: string): Promise<string[]> {
    return [...(this.#tree().get(dir) ?? [])].sort()
  }

  #tree(): Map<string, Set<string>> {
    if (this.#folders !== null) return this.#folders
    const folders = new Map<string, Set<string>>()
    for (const path of this.#names.keys()) {
      let known = false
      for (let end = path.length; end > 0 && !known; ) {
        const slash = path.lastIndexOf('/', end - 1)
        const dir = path.slice(0, slash)
        const names = folders.get(dir)
        known = names !== undefined
        if (names === undefined) folders.set(dir, new Set([path.slice(slash + 1, end)]))
        else names.add(path.slice(slash + 1, end))
        end = slash
      }
    }
    this.#folders = folders
    return folders
  }

  #name(path: string, inode: Inode): void {
    this.#names.set(path, inode)
    this.#folders = null
  }

  #unname(path: string): void {
    this.#names.delete(path)
    this.#folders = null
  }

  async stat(path: string): Promise<{ size: number; modifiedMs: number; isFolder: boolean } | null> {
    const inode = this.#names.get(path)
    if (inode !== undefined)
      return { size: inode.bytes.length, modifiedMs: inode.modifiedMs, isFolder: false }
    return this.#tree().has(path) ? { size: 0, modifiedMs: 0, isFolder: true } : null
  }

  async makeDir(_dir: string): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    this.fault?.('rename', to)
    this.#name(to, this.#need(from))
    this.#unname(from)
  }

  async link(from: string, to: string): Promise<boolean> {
    this.fault?.('link', to)
    if (this.#names.has(to)) return false
    this.#name(to, this.#need(from))
    return true
  }

  async remove(path: string): Promise<void> {
    this.fault?.('remove', path)
    this.#unname(path)
  }

  async syncDir(dir: string): Promise<void> {
    this.fault?.('syncDir', dir)
    for (const path of new Set([...this.#names.keys(), ...this.#durable.keys()])) {
      if (path.slice(0, path.lastIndexOf('/')) !== dir) continue
      const inode = this.#names.get(path)
      if (inode === undefined) this.#durable.delete(path)
      else this.#durable.set(path, inode)
    }
  }

  async lock(path: string, holder: string): Promise<{ release(): Promise<void> }> {
    const held = this.#locks.get(path)
    if (held !== undefined) throw new TidemarkError('E_LOCKED', `${path} is held by ${held}`)
    this.#locks.set(path, holder)
    return { release: async () => void this.#locks.delete(path) }
  }

  #need(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw new TidemarkError('E_DISK', `${path}: there is no such file`)
    return inode
  }
}
