/** Bytes that must be readable behind a line's newline, since it is read by words. */
export const READ_AHEAD_BYTES = 64

/** Memory in which lines are read, as bytes and as words, with zeros behind the last line. */
export class LineBuffer {
  readonly bytes: Uint8Array
  readonly view: DataView

  /** With room for so many bytes of lines. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size + READ_AHEAD_BYTES)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Puts parts of lines behind each other. Returns where they end. */
  put(...parts: readonly Uint8Array[]): number {
    let end = 0
    for (const part of parts) {
      this.bytes.set(part, end)
      end += part.length
    }
    this.bytes.fill(0, end, end + READ_AHEAD_BYTES)
    return end
  }
}
