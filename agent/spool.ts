import { type Dataset, formOf } from '../schemas/dataset.ts'
import { host } from '../schemas/datasets/host.ts'
import { describeError, isError, TidemarkError } from '../schemas/errors.ts'
import { series } from '../schemas/in-turn.ts'
import type { Random } from '../schemas/ports/clock.ts'
import type { Disk, DiskFile } from '../schemas/ports/disk.ts'
import type { Backlog, Queued, Sample } from './backlog.ts'
import { pathOf, readFolder, type SpoolFile } from './spool-folder.ts'
import {
  columnsOf,
  encodeRecord,
  formOfHead,
  frame,
  readSpool,
  type SpoolHead,
  type SpoolMark,
  type SpoolRecord,
} from './spool-format.ts'

export interface SpoolConfig {
  readonly dir: string
  /** What its samples are of; absent: `host`. */
  readonly dataset?: Dataset
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
 * The id stands at the head of each file; a new id begins a new file. What is settled and lost is written along with the
 * next sample: after a restart the collector's welcome knows better what is settled. Locks the folder: `E_LOCKED` when
 * another agent uses it. On a full disk it opens nevertheless: what waits can be sent, and makes room.
 */
export async function openSpool(config: SpoolConfig, deps: SpoolDeps): Promise<Backlog> {
  const { disk, random, logLine } = deps
  const { dir, dataset = host } = config
  const columns = columnsOf(formOf(dataset))
  const bytesMax = config.bytesMax ?? BYTES_MAX
  const fileBytesMax = Math.min(FILE_BYTES_MAX, Math.floor(bytesMax / 8))
  await disk.makeDir(dir)
  const lock = await disk.lock(`${dir}/lock`, `agent, process ${process.pid}`)
  const files: SpoolFile[] = []
  /** Where the newest file is written; absent while the disk had no room to begin it. */
  let active: DiskFile | undefined
  let recent: SpoolRecord[] = []
  let settledTo = 0
  let lost = 0
  let told = 0
  let written: SpoolMark = { settled: 0, lost: 0 }
  /** Files to be removed once a mark says what was lost with them. */
  let givenUp: string[] = []
  let pending: Pending[] = []
  let flushDue = false
  /** What is written goes one after the other. */
  const inTurn = series()
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
    const found = await readFolder(disk, dir, logLine)
    const strange = found.files.find(({ head }) => columnsOf(formOfHead(head) ?? formOf(dataset)) !== columns)
    if (strange !== undefined) {
      const reason = `${strange.path} holds samples of other columns than ${dataset.name}; use another folder`
      throw new TidemarkError('E_COLUMNS', reason)
    }
    files.push(...found.files)
    givenUp = found.headless
    recent = found.newest.slice(-RECENT_MAX)
    settledTo = found.mark.settled
    lost = found.mark.lost
    // An id belongs to its spool: where none is left there is a new one.
    const { agent, base } = files.at(-1)?.head ?? { agent: random.hex(ID_BYTES), base: 0 }
    await beginOrWait({ agent, base, first: found.next, columns })
    await dropSettled()
  }

  /** Begins a file, durable with its name before a sample goes into it. */
  async function begin(head: SpoolHead, path = pathOf(dir, head)) {
    // A file that holds nothing may be there; the new head takes its place.
    const renews = files.at(-1)?.path === path
    const mark = markNow()
    const bytes = Buffer.concat([frame(head), frame(mark)])
    const file = await disk.open(path, { create: true })
    try {
      // In this order, so that the head of an empty file is never gone.
      await file.write(0, bytes)
      await file.truncate(bytes.length)
      await file.sync()
      await disk.syncDir(dir)
    } catch (error) {
      await file.close()
      // On a full disk it is tried again with every sample. A head that was written must not speak for what comes meanwhile.
      if (renews) await stopWriting()
      else await remove([path])
      throw error
    }
    await stopWriting()
    active = file
    written = mark
    if (renews) files.pop()
    files.push({ path, head, bytes: bytes.length, count: 0, last: head.first - 1 })
    givenUp = givenUp.filter((one) => one !== path)
    await removeGivenUp()
  }

  /** Begins a file; where the disk has no room the first sample that finds some does. */
  async function beginOrWait(head: SpoolHead) {
    try {
      await begin(head)
    } catch (error) {
      if (!isError(error, 'E_DISK_FULL')) throw error
      logLine(`agent: ${describeError(error)}; samples are lost until there is room`)
      const path = pathOf(dir, head)
      if (files.at(-1)?.path !== path) files.push({ path, head, bytes: 0, count: 0, last: head.first - 1 })
    }
  }

  /** Begins the file for which there was no room; if there is none yet, in the place of the one before, where that is settled. */
  async function beginAtLast(): Promise<void> {
    const waiting = files.at(-1)!
    try {
      await begin(waiting.head)
    } catch (error) {
      if (!isError(error, 'E_DISK_FULL')) throw error
      // Room comes first; what was lost is in the mark of the file that is begun there.
      if (givenUp.length > 0) {
        await removeGivenUp()
        return beginAtLast()
      }
      const before = files.at(-2)
      if (before === undefined || before.last > settledTo) throw error
      files.splice(-2, 2, { ...waiting, path: before.path })
      await begin(waiting.head, before.path)
    }
  }

  function markNow(): SpoolMark {
    return { settled: settledTo, lost: lost - told }
  }

  async function stopWriting() {
    await active?.close()
    active = undefined
  }

  function flushSoon() {
    if (flushDue) return
    flushDue = true
    void inTurn(flush)
  }

  /** Writes all that was pushed meanwhile, or if that is nothing the mark. */
  async function flush() {
    flushDue = false
    const group = pending
    pending = []
    try {
      if (group.length > 0) await write(group)
      else await writeMark()
      for (const { resolve } of group) resolve()
    } catch (error) {
      lost += group.length
      for (const { reject } of group) reject(error)
    }
  }

  async function write(group: readonly Pending[]) {
    if (active === undefined) await beginAtLast()
    const from = files.at(-1)!.last + 1
    const records = group.map(({ sample }, i) => ({ number: from + i, ...sample }))
    const bytes = Buffer.concat(records.map(encodeRecord))
    await makeRoom(bytes.length)
    try {
      await writeRecords(records, bytes)
    } catch (error) {
      // Room comes first; what was lost is in the next mark that finds some.
      if (isError(error, 'E_DISK_FULL')) await removeGivenUp()
      throw error
    }
  }

  async function writeMark() {
    if (active !== undefined && isBehind()) await writeRecords([], Buffer.alloc(0))
  }

  function isBehind(): boolean {
    const { settled, lost } = markNow()
    return settled !== written.settled || lost !== written.lost
  }

  async function writeRecords(records: readonly SpoolRecord[], bytes: Buffer) {
    const file = files.at(-1)!
    const mark = markNow()
    const all = isBehind() ? Buffer.concat([frame(mark), bytes]) : bytes
    try {
      await active!.write(file.bytes, all)
      await active!.sync()
    } catch (error) {
      // What was written must not come back: its numbers are given out again.
      await active!.truncate(file.bytes)
      throw error
    }
    written = mark
    file.bytes += all.length
    file.count += records.length
    file.last += records.length
    recent = [...recent, ...records].slice(-RECENT_MAX)
    await removeGivenUp()
  }

  /** Gives up the oldest files where there is no room for so many bytes. */
  async function makeRoom(bytes: number) {
    const newest = files.at(-1)!
    if (newest.bytes + bytes > fileBytesMax && newest.count > 0)
      await begin({ ...newest.head, first: newest.last + 1 })
    while (files.length > 1 && usedBytes() + bytes > bytesMax) {
      const oldest = files.shift()!
      givenUp.push(oldest.path)
      lost += waitingIn(oldest)
      settledTo = Math.max(settledTo, oldest.last)
      if (!full) logLine(`agent: the spool is full, the oldest samples are lost`)
      full = true
    }
  }

  /** Numbers that a damage took are no samples. */
  function waitingIn({ count, last }: SpoolFile): number {
    return Math.min(count, Math.max(0, last - settledTo))
  }

  function usedBytes(): number {
    return files.reduce((sum, file) => sum + file.bytes, 0)
  }

  async function dropSettled() {
    const paths: string[] = []
    // The newest on disk says which id and which numbers are in use: it stays until there is another.
    const kept = active === undefined ? 2 : 1
    while (files.length > kept && files[0]!.last <= settledTo) paths.push(files.shift()!.path)
    await remove(paths)
  }

  async function removeGivenUp() {
    const paths = givenUp
    givenUp = []
    await remove(paths)
  }

  /** Removes files that nobody needs; one that stays is removed at the next start. */
  async function remove(paths: readonly string[]) {
    try {
      for (const path of paths) await disk.remove(path)
    } catch (error) {
      logLine(`agent: ${describeError(error)}`)
    }
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

  /** The last record that waits no more: settled, or given up. */
  const gone = () => Math.max(settledTo, files[0]!.head.first - 1)
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
        flushSoon()
      })
    },
    async after(seq, max) {
      const records = await recordsAfter(Math.max(seq + base(), gone()))
      return records.slice(0, max).map(queued)
    },
    told(samples) {
      told += samples
      // Soon, so that after a restart they are not told again.
      flushSoon()
    },
    settled(seq) {
      settledTo = Math.max(settledTo, seq + base())
      if (size() === 0) full = false
      void dropSettled()
    },
    renumber: (agent) => inTurn(() => begin({ agent, base: gone(), first: files.at(-1)!.last + 1, columns })),
    async close() {
      flushSoon()
      await inTurn(stopWriting)
      await lock.release()
    },
  }

  function queued({ number, ...sample }: SpoolRecord): Queued {
    return { ...sample, seq: number - base() }
  }
}
