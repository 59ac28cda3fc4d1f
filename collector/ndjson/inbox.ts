import { lineBytes, partBytes } from './chunk-size.ts'
import type { Conversation } from './conversation.ts'
import type { LineBuffer } from './decode/line-buffer.ts'
import { LineSplitter } from './line-splitter.ts'

const NOTHING = new Uint8Array()

/** What arrived on a connection: it is taken line by line until a limit is reached; the rest waits here. */
export class Inbox {
  readonly #lines: LineSplitter
  readonly #conversation: Conversation
  readonly #mustStop: () => boolean
  /** What is not looked at yet. */
  #rest: Uint8Array = NOTHING

  /** `mustStop` says whether a limit is reached. */
  constructor(lineBuffer: LineBuffer, conversation: Conversation, mustStop: () => boolean) {
    this.#lines = new LineSplitter(lineBuffer)
    this.#conversation = conversation
    this.#mustStop = mustStop
  }

  /** Whether everything was taken, but for a line that is unfinished. */
  get isEmpty(): boolean {
    return this.#rest.length === 0
  }

  /** Takes what arrived, or lets it wait. Its memory is the socket's again afterwards. */
  add(bytes: Uint8Array): void {
    if (this.#rest.length > 0) {
      this.#rest = Buffer.concat([this.#rest, bytes])
      return
    }
    this.#take(bytes)
    if (this.#rest.length > 0) this.#rest = new Uint8Array(this.#rest)
  }

  /** Takes what waits, as far as the limits allow. */
  goOn(): void {
    if (this.#rest.length > 0) this.#take(this.#rest)
  }

  /** Takes the last line, which may lack its newline. */
  end(): void {
    const last = this.#lines.last()
    if (last !== null) this.#conversation.line(last)
  }

  #take(bytes: Uint8Array): void {
    const conversation = this.#conversation
    const { sender } = conversation
    conversation.arrive()
    let rest = bytes
    while (rest.length > 0 && !this.#mustStop()) {
      const size = conversation.isNew ? lineBytes(rest) : partBytes(rest, sender.trusted)
      this.#lines.push(rest.subarray(0, size), conversation)
      rest = rest.subarray(size)
    }
    this.#rest = rest
    if (rest.length === 0) sender.trusted = conversation.refusals === 0
  }
}
