import { LINE_BYTES_MAX, LONG_LINE_KEPT_BYTES } from './limits.ts'

/** A line without its newline; of one that was too long only the beginning. */
export interface RawLine {
  readonly bytes: Uint8Array
  readonly tooLong: boolean
}

const NEWLINE = 0x0a

/** Cuts a stream of bytes into lines, wherever the chunks break, holding no more than one line's limit. */
export class LineSplitter {
  #rest: Uint8Array[] = []
  #restBytes = 0
  #tooLong = false

  /** The lines that `chunk` completes. */
  push(chunk: Uint8Array): RawLine[] {
    const lines: RawLine[] = []
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#add(chunk.subarray(from, at))
      from = at + 1
      lines.push(this.#take())
    }
    this.#add(chunk.subarray(from))
    return lines
  }

  /** What stands after the last newline, when the sender closed in order; null when nothing does. */
  last(): RawLine | null {
    return this.#restBytes === 0 ? null : this.#take()
  }

  #add(part: Uint8Array): void {
    if (part.length === 0) return
    this.#restBytes += part.length
    if (this.#tooLong) return
    // Copied: the chunk's memory belongs to the socket.
    this.#rest.push(part.slice())
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
