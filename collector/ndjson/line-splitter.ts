import type { LineBuffer } from './decode/line-buffer.ts'
import { LINE_BYTES_MAX, LONG_LINE_KEPT_BYTES } from './line-limits.ts'

/** A line without its newline; of one that was too long only the beginning. */
export interface RawLine {
  readonly bytes: Uint8Array
  readonly tooLong: boolean
}

/** Reads lines as they are cut. */
export interface LineReader {
  /** Reads the line that begins at `from` of the line buffer. Returns where its newline stands; −1 to get it by `line`. */
  inPlace(from: number): number
  line(line: RawLine): void
}

const NEWLINE = 0x0a
/** Bytes of a chunk that are put into the line buffer at once. */
const PART_BYTES_MAX = 65_536

/** Size of the line buffer: room for what is left of the chunk before, and for the next part. */
export const LINE_BUFFER_BYTES = LINE_BYTES_MAX + PART_BYTES_MAX

/** Cuts a stream of bytes into lines, wherever the chunks break, holding no more than one line's limit. */
export class LineSplitter {
  readonly #lineBuffer: LineBuffer
  #rest: Uint8Array[] = []
  #restBytes = 0
  #tooLong = false

  /** Lines lie in `lineBuffer` while they are read. */
  constructor(lineBuffer: LineBuffer) {
    this.#lineBuffer = lineBuffer
  }

  /** Gives `reader` the lines that `chunk` completes. */
  push(chunk: Uint8Array, reader: LineReader): void {
    for (let from = 0; from < chunk.length; from += PART_BYTES_MAX)
      this.#pushPart(chunk.subarray(from, from + PART_BYTES_MAX), reader)
  }

  #pushPart(part: Uint8Array, reader: LineReader): void {
    let from = 0
    if (this.#restBytes > 0) {
      const newline = part.indexOf(NEWLINE)
      if (newline < 0) {
        this.#add(part)
        return
      }
      if (this.#tooLong || this.#restBytes + newline > LINE_BYTES_MAX) {
        this.#add(part.subarray(0, newline))
        const { bytes } = this.#take()
        reader.line({ bytes, tooLong: true })
        from = newline + 1
      }
    }
    const { bytes: rest } = this.#take()
    const end = this.#lineBuffer.put(rest, part.subarray(from))
    this.#add(this.#lineBuffer.bytes.subarray(this.#readLines(end, reader), end))
  }

  /** Gives `reader` the lines in the line buffer up to `end`. Returns where the last one ends. */
  #readLines(end: number, reader: LineReader): number {
    const { bytes } = this.#lineBuffer
    let from = 0
    while (from < end) {
      let newline = reader.inPlace(from)
      if (newline < 0) {
        newline = bytes.indexOf(NEWLINE, from)
        if (newline < 0 || newline >= end) break
        reader.line(lineOf(bytes.slice(from, newline)))
      }
      from = newline + 1
    }
    return from
  }

  /** Returns what stands after the last newline, for a sender that closed in order; null when nothing does. */
  last(): RawLine | null {
    if (this.#restBytes === 0) return null
    const { bytes, tooLong } = this.#take()
    return tooLong ? { bytes, tooLong } : lineOf(bytes)
  }

  #add(part: Uint8Array): void {
    this.#restBytes += part.length
    if (this.#tooLong || part.length === 0) return
    // Copied: the memory belongs to the socket or to the next part.
    this.#rest.push(new Uint8Array(part))
    if (this.#restBytes > LINE_BYTES_MAX) {
      this.#tooLong = true
      this.#rest = [Buffer.concat(this.#rest).subarray(0, LONG_LINE_KEPT_BYTES)]
    }
  }

  #take(): RawLine {
    const bytes = this.#rest.length === 1 ? this.#rest[0]! : Buffer.concat(this.#rest)
    const line = { bytes, tooLong: this.#tooLong }
    this.#rest = []
    this.#restBytes = 0
    this.#tooLong = false
    return line
  }
}

function lineOf(bytes: Uint8Array): RawLine {
  const tooLong = bytes.length > LINE_BYTES_MAX
  return { bytes: tooLong ? bytes.subarray(0, LONG_LINE_KEPT_BYTES) : bytes, tooLong }
}
