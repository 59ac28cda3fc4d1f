import { LINE_BYTES_MAX, LONG_LINE_KEPT_BYTES } from './limits.ts'

/** A line without its newline; of one that was too long only the beginning. */
export interface RawLine {
  readonly bytes: Uint8Array
  readonly tooLong: boolean
}

/** Who reads the lines. */
export interface LineReader {
  /** Reads the line at `from` where it lies; the place of its newline, −1 to be given it as a `line`. */
  inPlace(bytes: Uint8Array, from: number): number
  line(line: RawLine): void
}

const NEWLINE = 0x0a

/** Cuts a stream of bytes into lines, wherever the chunks break, holding no more than one line's limit. */
export class LineSplitter {
  #rest: Uint8Array[] = []
  #restBytes = 0
  #tooLong = false

  /** Gives `reader` the lines that `chunk` completes. */
  push(chunk: Uint8Array, reader: LineReader): void {
    let from = 0
    if (this.#restBytes > 0) {
      from = chunk.indexOf(NEWLINE) + 1
      this.#add(from === 0 ? chunk : chunk.subarray(0, from))
      if (from === 0) return
      this.#complete(reader)
    }
    while (from < chunk.length) {
      let end = reader.inPlace(chunk, from)
      if (end < 0) {
        end = chunk.indexOf(NEWLINE, from)
        if (end < 0) break
        reader.line(lineOf(chunk.slice(from, end)))
      }
      from = end + 1
    }
    if (from < chunk.length) this.#add(chunk.subarray(from))
  }

  /** What stands after the last newline, when the sender closed in order; null when nothing does. */
  last(): RawLine | null {
    if (this.#restBytes === 0) return null
    const { bytes, tooLong } = this.#take()
    return tooLong ? { bytes, tooLong } : lineOf(bytes)
  }

  #add(part: Uint8Array): void {
    this.#restBytes += part.length
    if (this.#tooLong) return
    // Copied: the chunk's memory belongs to the socket.
    this.#rest.push(part.slice())
    // A newline may be among them.
    if (this.#restBytes > LINE_BYTES_MAX + 1) {
      this.#tooLong = true
      this.#rest = [Buffer.concat(this.#rest).subarray(0, LONG_LINE_KEPT_BYTES)]
    }
  }

  /** The line that began in earlier chunks has its newline. */
  #complete(reader: LineReader): void {
    const { bytes, tooLong } = this.#take()
    if (tooLong) reader.line({ bytes, tooLong })
    else if (reader.inPlace(bytes, 0) < 0) reader.line(lineOf(bytes.subarray(0, -1)))
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
