import { describeError } from '../schemas/errors.ts'
import type { Random } from '../schemas/ports/clock.ts'
import type { Disk, DiskFile } from '../schemas/ports/disk.ts'
import type { Backlog, Queued, Sample } from './backlog.ts'
import {
  encodeRecord,
  frame,
  RECORD_BYTES_MIN,
  readSpool,
  type SpoolHead,
  type SpoolRecord,
} from './spool-format.ts'

export interface SpoolConfig {
  readonly dir: string
  /** All files together. */
  readonly bytesMax?: number
}

export interface SpoolDeps {
  readonly disk: Disk
  readonly random: Random
  logLine(line: string): void
}

const BYTES_MAX = 256 << 20
/** Less would be files of a few samples. */
export const SPOOL_BYTES_MIN = 64 << 10
/** A file is followed by another when it would exceed this, or an eighth of all. */
const FILE_BYTES_MAX = 4 << 20
/** Newest samples kept in memory, so that an agent that keeps up reads no disk. */
const RECENT_MAX = 1_000
const ID_BYTES = 16
const NAME = /^(\d{16})\.spool$/

interface SpoolFile {
  readonly path: string
  readonly head: SpoolHead
  bytes: number
  /** Samples in it, and the number of the last; of an empty file the one before its first. */
  count: number
  last: number
}

interface Pending {
  readonly sample: Sample
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * A backlog on disk, which outlives the agent: what was pushed is synced before it is sent, pushes that wait together share
 * a write and a sync.
 *
 *     push ─▶ records behind each other, file after file ─▶ sent in order ─▶ acknowledged: whole files are removed
 *
 * The id stands at the head of each file; a new id begins a new file. `settled` is written along with the next sample:
 * after a restart the collector's welcome knows better anyway. Locks the folder: `E_LOCKED` when another agent uses it.
 */
export async function openSpool(config: SpoolConfig, deps: SpoolDeps): Promise<Backlog> {
  const { disk, random, logLine } = deps
  const { dir } = config
  const bytesMax = config.bytesMax ?? BYTES_MAX
  const fileBytesMax = Math.min(FILE_BYTES_MAX, Math.floor(bytesMax / 8))
  await disk.makeDir(dir)
  const lock = await disk.lock(`${dir}/lock`, `agent, process ${process.pid}`)
  const files: SpoolFile[] = []
  let active: DiskFile
  let recent: SpoolRecord[] = []
  let settledTo = 0
  let writtenSettled = 0
  let lost = 0
  let pending: Pending[] = []
  let flushing: Promise<void> | null = null
  let full = false
  /** The records of one file as it was with so many bytes, for draining. */
  let loaded: { file: SpoolFile; bytes: number; records: readonly SpoolRecord[] } | null = null

  try {
    await recover()
  } catch (error) {
    await lock.release()
    throw error
  }

  async function recover() {
    // Numbers that may have been sent are not given out again, whether their records can be read or not.
    let highest = 0
    for (const name of await disk.list(dir)) {
      if (!NAME.test(name)) continue
      const path = `${dir}/${name}`
      const bytes = (await disk.readFile(path)) ?? new Uint8Array()
      const { head, records, settled, bytes: readable } = readSpool(bytes)
      highest = Math.max(highest, records.at(-1)?.number ?? 0)
      highest += Math.floor((bytes.length - readable) / RECORD_BYTES_MIN)
      if (head === null) {
        const waiting = records.filter(({ number }) => number > settled).length
        lost += waiting
        logLine(`agent: the head of ${path} is damaged, ${waiting} samples in it are lost; removed`)
        await disk.remove(path)
        continue
      }
      settledTo = Math.max(settledTo, settled)
      const last = records.at(-1)?.number ?? head.first - 1
      files.push({ path, head, bytes: readable, count: records.length, last })
      if (records.length > 0) recent = records.slice(-RECENT_MAX)
    }
    const newest = files.at(-1)
    const next = Math.max(highest, newest?.last ?? 0) + 1
    // An id belongs to its spool: where none is left there is a new one.
    const { agent, base } = newest?.head ?? { agent: random.hex(ID_BYTES), base: 0 }
    // Damage of older files was told by the starts before.
    const damaged = newest === undefined ? 0 : newest.last - newest.head.first + 1 - newest.count
    lost += damaged
    if (damaged > 0) logLine(`agent: ${damaged} samples of ${newest!.path} are damaged and lost`)
    await begin({ agent, base, first: next })
    await dropSettled()
  }

  /** Begins a file, durable with its name before a sample goes into it. */
  async function begin(head: SpoolHead) {
    const path = `${dir}/${String(head.first).padStart(16, '0')}.spool`
    // An empty file of that name may be there; the new head takes its place.
    const before = files.at(-1)
    if (before?.path === path) files.pop()
    const bytes = frame(head)
    const file = await disk.open(path, { create: true })
    try {
      await file.truncate(0)
      await file.write(0, bytes)
      await file.sync()
      await disk.syncDir(dir)
    } catch (error) {
      // On a full disk it is tried again with every sample.
      await file.close()
      throw error
    }
    if (active !== undefined) await active.close()
    active = file
    files.push({ path, head, bytes: bytes.length, count: 0, last: head.first - 1 })
  }

  async function flush() {
    // What is pushed in the same turn shares the first write.
    await Promise.resolve()
    while (pending.length > 0) {
      const group = pending
      pending = []
      try {
        await write(group)
        for (const { resolve } of group) resolve()
      } catch (error) {
        lost += group.length
        for (const { reject } of group) reject(error)
      }
    }
    flushing = null
  }

  async function write(group: readonly Pending[]) {
    const from = files.at(-1)!.last + 1
    const records = group.map(({ sample }, i) => ({ number: from + i, ...sample }))
    const parts = records.map(encodeRecord)
    if (settledTo > writtenSettled) parts.unshift(frame(settledTo))
    const bytes = Buffer.concat(parts)
    await makeRoom(bytes.length)
    const file = files.at(-1)!
    try {
      await active.write(file.bytes, bytes)
      await active.sync()
    } catch (error) {
      // What was written must not come back: its numbers are given out again.
      await active.truncate(file.bytes)
      throw error
    }
    writtenSettled = settledTo
    file.bytes += bytes.length
    file.count += records.length
    file.last = from + records.length - 1
    recent = [...recent, ...records].slice(-RECENT_MAX)
  }

  async function makeRoom(bytes: number) {
    const newest = files.at(-1)!
    if (newest.bytes + bytes > fileBytesMax && newest.count > 0)
      await begin({ ...newest.head, first: newest.last + 1 })
    while (files.length > 1 && usedBytes() + bytes > bytesMax) {
      const oldest = files.shift()!
      lost += waitingIn(oldest)
      if (!full) logLine(`agent: the spool is full, the oldest samples are lost`)
      full = true
      await disk.remove(oldest.path)
    }
  }

  function usedBytes(): number {
    return files.reduce((sum, file) => sum + file.bytes, 0)
  }

  async function dropSettled() {
    while (files.length > 1 && files[0]!.last <= settledTo) await disk.remove(files.shift()!.path)
  }

  async function recordsOf(file: SpoolFile): Promise<readonly SpoolRecord[]> {
    const { path, bytes } = file
    if (loaded?.file !== file || loaded.bytes !== bytes) {
      const { records } = readSpool((await disk.readFile(path)) ?? new Uint8Array())
      loaded = { file, bytes, records }
    }
    return loaded.records
  }

  /** The records above `number` of the first file that has any, in memory or on disk. */
  async function recordsAfter(number: number): Promise<readonly SpoolRecord[]> {
    const above = (records: readonly SpoolRecord[]) => {
      const from = records.findIndex((record) => record.number > number)
      return from < 0 ? [] : records.slice(from)
    }
    if (number + 1 >= (recent[0]?.number ?? files.at(-1)!.last + 1)) return above(recent)
    for (const file of files.filter(({ last }) => last > number)) {
      const found = above(await recordsOf(file))
      if (found.length > 0) return found
    }
    return []
  }

  /** The last record that waits no more: settled, or removed for want of room. */
  const gone = () => Math.max(settledTo, files[0]!.head.first - 1)
  /** Numbers that a damage took are no samples. */
  const waitingIn = ({ count, last }: SpoolFile) => Math.min(count, Math.max(0, last - settledTo))
  const size = () => files.reduce((sum, file) => sum + waitingIn(file), 0)
  const base = () => files.at(-1)!.head.base

  return {
    get agent() {
      return files.at(-1)!.head.agent
    },
    get size() {
      return size()
    },
    get highestSeq() {
      return files.at(-1)!.last - base()
    },
    get lost() {
      return lost
    },
    push(sample) {
      return new Promise((resolve, reject) => {
        pending.push({ sample, resolve, reject })
        flushing ??= flush()
      })
    },
    async after(seq, max) {
      const records = await recordsAfter(Math.max(seq + base(), gone()))
      return records.slice(0, max).map(queued)
    },
    settled(seq) {
      settledTo = Math.max(settledTo, seq + base())
      if (size() === 0) full = false
      void dropSettled().catch((error) => logLine(`agent: ${describeError(error)}`))
    },
    async renumber(agent) {
      await flushing
      const first = files.at(-1)!.last + 1
      await begin({ agent, base: gone(), first })
    },
    async close() {
      await flushing
      await active.close()
      await lock.release()
    },
  }

  function queued({ number, ...sample }: SpoolRecord): Queued {
    return { ...sample, seq: number - base() }
  }
}
