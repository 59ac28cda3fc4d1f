import { describeError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { utcDate } from '../../schemas/time.ts'
import { hideTokens } from '../../schemas/token.ts'
import { forgetRejects } from './forget-rejects.ts'
import { REJECTS_BYTES_MAX } from './limits.ts'

const NEWLINE = 0x0a
/** What a refused line takes in memory beside its own bytes: even an empty one counts. */
const HELD_BYTES = 512

/** A refused line, as `rejects/` keeps it. */
export interface Reject {
  readonly timeMs: number
  readonly remote: string
  readonly agent: string | null
  readonly line: number
  readonly code: string
  readonly field: string | null
  readonly reason: string
  readonly rawLine: Uint8Array
}

/**
 * The refused lines, one file a UTC date, one JSON object a line. Lines that wait together share a write and a sync.
 * When the disk fails or the folder is full, lines are only counted: a refusal must not wait for room.
 */
export class Rejects {
  readonly #disk: Disk
  readonly #dir: string
  readonly #logLine: (line: string) => void
  readonly #relieved: () => void
  #queue: { reject: Reject; done: () => void }[] = []
  #writing: Promise<void> | null = null
  #bytes: number | null = null
  /** The file whose name this process made durable. */
  #named: string | null = null
  #troubled = false
  /** Nobody writes while lines are taken out. */
  readonly #inTurn = serialQueue()
  count = 0
  unkept = 0

  /** Bytes of refused lines that wait to be kept: what back-pressure looks at. */
  pendingBytes = 0

  /** `relieved` is called whenever `pendingBytes` fell. */
  constructor(disk: Disk, dir: string, deps: { logLine(line: string): void; relieved(): void }) {
    this.#disk = disk
    this.#dir = dir
    this.#logLine = deps.logLine
    this.#relieved = deps.relieved
  }

  /** Resolves when the line is kept, or cannot be. */
  keep(reject: Reject): Promise<void> {
    this.count += 1
    this.pendingBytes += HELD_BYTES + reject.rawLine.length
    return new Promise((done) => {
      this.#queue.push({ reject, done })
      this.#writing ??= this.#write()
    })
  }

  async #write(): Promise<void> {
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0)
      try {
        const date = utcDate(batch[0]!.reject.timeMs)
        const bytes = Buffer.from(batch.map(({ reject }) => line(reject)).join(''))
        await this.#inTurn(() => this.#append(date, bytes))
        this.#troubled = false
      } catch (error) {
        this.unkept += batch.length
        if (!this.#troubled) this.#logLine(`rejects: ${describeError(error)}; refused lines are only counted`)
        this.#troubled = true
      }
      for (const { reject, done } of batch) {
        this.pendingBytes -= HELD_BYTES + reject.rawLine.length
        done()
      }
      this.#relieved()
    }
    this.#writing = null
  }

  async #append(date: string, bytes: Buffer): Promise<void> {
    await this.#disk.makeDir(this.#dir)
    const used = this.#bytes ?? (await this.#used())
    this.#bytes = used
    if (used + 1 + bytes.length > REJECTS_BYTES_MAX) throw new Error(`${this.#dir} is full`)
    // How much a write that fails leaves is not known.
    this.#bytes = null
    const path = `${this.#dir}/${date}.ndjson`
    const file = await this.#disk.open(path, { create: true })
    try {
      const size = await file.size()
      const torn = size > 0 && (await file.read(size - 1, 1))[0] !== NEWLINE
      // What a crash or a full disk cut off stands on a line of its own.
      const written = torn ? Buffer.concat([Buffer.of(NEWLINE), bytes]) : bytes
      await file.write(size, written)
      await file.sync()
      // Also of a file that is found: the process that made it may have died before its name was durable.
      if (this.#named !== path) await this.#disk.syncDir(this.#dir)
      this.#named = path
      this.#bytes = used + written.length
    } finally {
      await file.close()
    }
  }

  async #used(): Promise<number> {
    let bytes = 0
    for (const name of await this.#disk.list(this.#dir)) {
      bytes += (await this.#disk.stat(`${this.#dir}/${name}`))?.size ?? 0
    }
    return bytes
  }

  /** Forgets the kept lines that mention all of `words`; how many. */
  forget(words: readonly string[]): Promise<number> {
    return this.#inTurn(() => {
      this.#bytes = null
      this.#named = null
      return forgetRejects(this.#disk, this.#dir, words)
    })
  }

  async close(): Promise<void> {
    await this.#writing
  }
}

/** Returns the line that is kept: tokens are left out, the rest is as it came, byte for byte. */
function line({ timeMs, rawLine, reason, ...rest }: Reject): string {
  const raw = Buffer.from(hideTokens(Buffer.from(rawLine).toString('latin1')), 'latin1')
  const text = raw.toString('utf8')
  const kept = Buffer.from(text, 'utf8').equals(raw) ? { raw: text } : { raw_base64: raw.toString('base64') }
  return `${JSON.stringify({ time: new Date(timeMs).toISOString(), ...rest, reason: hideTokens(reason), ...kept })}\n`
}
