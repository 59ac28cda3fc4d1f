import { createHash } from 'node:crypto'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'

/** A copy stays for so long after it was asked for, whatever the limit: an engine opens its files later. */
const IN_USE_MS = 3_600_000
const SUFFIX = '.parquet'

interface Copy {
  readonly bytes: number
  askedMs: number
}

/**
 * Copies of objects that never change, as local files for an engine that reads paths. Those longest not asked for go when all
 * together exceed the limit. A copy found from before is checked like an object that was just read.
 */
export class LocalCopies {
  readonly #dir: string
  readonly #bytesMax: number
  readonly #deps: { readonly disk: Disk; readonly clock: Clock; readonly random: Random }
  /** By file name, the one longest not asked for first. */
  #copies: Map<string, Copy> | null = null
  /** Names whose bytes were checked in this process. */
  readonly #checked = new Set<string>()
  /** One at a time: each is in memory while it is checked. */
  readonly #turn = serialQueue()

  constructor(dir: string, bytesMax: number, deps: { disk: Disk; clock: Clock; random: Random }) {
    this.#dir = dir
    this.#bytesMax = bytesMax
    this.#deps = deps
  }

  /** Path of a copy of `key`. `check` throws what is wrong with the bytes; `read` gives those of the object. */
  path(
    key: string,
    check: (bytes: Uint8Array | null) => Uint8Array,
    read: () => Promise<Uint8Array | null>,
  ): Promise<string> {
    return this.#turn(async () => {
      const { disk } = this.#deps
      const name = nameOf(key)
      const path = `${this.#dir}/${name}`
      this.#copies ??= await this.#found()
      const copies = this.#copies
      const stat = copies.has(name) ? await disk.stat(path) : null
      if (stat !== null && (await this.#isWhole(name, path, check))) {
        this.#touch(copies, name, stat.size)
        return path
      }
      const bytes = check(await read())
      await this.#write(path, bytes)
      this.#checked.add(name)
      this.#touch(copies, name, bytes.length)
      await this.#makeRoom(copies)
      return path
    })
  }

  /** Removes the copy of an object that is no more. */
  forget(key: string): Promise<void> {
    return this.#turn(async () => {
      const name = nameOf(key)
      await this.#deps.disk.remove(`${this.#dir}/${name}`)
      this.#copies?.delete(name)
      this.#checked.delete(name)
    })
  }

  async #isWhole(name: string, path: string, check: (bytes: Uint8Array | null) => Uint8Array) {
    if (this.#checked.has(name)) return true
    try {
      check(await this.#deps.disk.readFile(path))
      this.#checked.add(name)
      return true
    } catch {
      return false
    }
  }

  #touch(copies: Map<string, Copy>, name: string, bytes: number): void {
    copies.delete(name)
    copies.set(name, { bytes, askedMs: this.#deps.clock.nowMs() })
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const { disk, random } = this.#deps
    const temporary = `${this.#dir}/.tmp-${random.hex(8)}`
    const file = await disk.open(temporary, { create: true })
    try {
      await file.write(0, bytes).finally(() => file.close())
      await disk.rename(temporary, path)
    } catch (error) {
      await disk.remove(temporary)
      throw error
    }
  }

  async #makeRoom(copies: Map<string, Copy>): Promise<void> {
    const { disk, clock } = this.#deps
    let bytes = 0
    for (const copy of copies.values()) bytes += copy.bytes
    for (const [name, copy] of copies) {
      if (bytes <= this.#bytesMax) return
      if (Math.abs(clock.nowMs() - copy.askedMs) < IN_USE_MS) continue
      await disk.remove(`${this.#dir}/${name}`)
      copies.delete(name)
      this.#checked.delete(name)
      bytes -= copy.bytes
    }
  }

  /** What a process before this one left; what it was still writing goes. */
  async #found(): Promise<Map<string, Copy>> {
    const { disk } = this.#deps
    await disk.makeDir(this.#dir)
    const found: [string, Copy][] = []
    for (const name of await disk.list(this.#dir)) {
      const path = `${this.#dir}/${name}`
      const stat = await disk.stat(path)
      if (!name.endsWith(SUFFIX)) await disk.remove(path)
      else if (stat) found.push([name, { bytes: stat.size, askedMs: Math.min(stat.modifiedMs, 0) }])
    }
    return new Map(found)
  }
}

function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex') + SUFFIX
}
