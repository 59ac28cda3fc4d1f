import type { FileHandle } from 'node:fs/promises'

/**
 * Where the frames of a zstd file lie, as RFC 8878 writes them: `zstd` makes one, `pzstd`, `cat` and what appends make many, and
 * skippable ones between. Node's decompressor ends with the first.
 *
 *     magic · header · block (3 bytes that say its length, and it) … · checksum        0xFD2FB528
 *     magic · length · what is skipped                                                 0x184D2A50 to …5F
 */

const FRAME = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
const BLOCK_HEADER_BYTES = 3
/** Of a block that is one byte, repeated. */
const REPEATED = 1
const READ_BYTES = 64 << 10

/** Bytes of a file, `end` behind the last. */
export interface Frame {
  readonly start: number
  readonly end: number
}

/** The frames with content, in their order. Throws where the file ends within one, or something else follows. */
export async function* zstdFrames(file: FileHandle): AsyncGenerator<Frame> {
  const { size } = await file.stat()
  const bytes = new Window(file)
  for (let at = 0; at < size; ) {
    const magic = (await bytes.read(at, 4)).readUInt32LE()
    const isSkippable = (magic & 0xfffffff0) >>> 0 === SKIPPABLE
    if (!isSkippable && magic !== FRAME) throw new Error(`at byte ${at} begins no frame of zstd`)
    const end = isSkippable
      ? at + 8 + (await bytes.read(at + 4, 4)).readUInt32LE()
      : await endOfFrame(bytes, at)
    if (end > size) throw unexpectedEnd()
    if (!isSkippable) yield { start: at, end }
    at = end
  }
}

async function endOfFrame(bytes: Window, start: number): Promise<number> {
  const descriptor = (await bytes.read(start + 4, 1))[0]!
  const isOneSegment = (descriptor >> 5) & 1
  const contentSizeBytes = [isOneSegment, 2, 4, 8][descriptor >> 6]!
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  let at = start + 5 + (1 - isOneSegment) + dictionaryBytes + contentSizeBytes
  for (let isLast = false; !isLast; ) {
    const header = (await bytes.read(at, BLOCK_HEADER_BYTES)).readUIntLE(0, BLOCK_HEADER_BYTES)
    isLast = (header & 1) === 1
    at += BLOCK_HEADER_BYTES + (((header >> 1) & 3) === REPEATED ? 1 : header >> 3)
  }
  return at + ((descriptor >> 2) & 1) * 4
}

/** Reads a few bytes here and there, most often a little further on. */
class Window {
  readonly #file: FileHandle
  #start = 0
  #bytes: Buffer = Buffer.alloc(0)

  constructor(file: FileHandle) {
    this.#file = file
  }

  async read(at: number, length: number): Promise<Buffer> {
    const from = at - this.#start
    if (from < 0 || from + length > this.#bytes.length) {
      const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, at)
      this.#start = at
      this.#bytes = buffer.subarray(0, bytesRead)
      if (bytesRead < length) throw unexpectedEnd()
      return this.#bytes.subarray(0, length)
    }
    return this.#bytes.subarray(from, from + length)
  }
}

const unexpectedEnd = () => new Error('unexpected end of file')
