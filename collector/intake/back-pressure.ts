import type { Connected } from './connected.ts'
import { PENDING_BYTES_MAX } from './limits.ts'

/** How much waits. */
export interface Waiting {
  /** Bytes that wait to be durable, refused ones included. */
  pendingBytes(): number
  /** Whether too much is acknowledged and not yet in the lake. */
  isBehind(): boolean
}

/** Lets senders wait while too much waits to be durable or to be sealed. */
export class BackPressure {
  readonly #waiting: Waiting
  readonly #connected: Connected
  #congested = false

  constructor(waiting: Waiting, connected: Connected) {
    this.#waiting = waiting
    this.#connected = connected
  }

  /** Returns whether senders must wait. Only hellos are read then, since they free connections. */
  isCongested(): boolean {
    if (this.#congested) return true
    if (this.#waiting.pendingBytes() <= PENDING_BYTES_MAX && !this.#waiting.isBehind()) return false
    this.#congested = true
    // At once: thousands that each deliver once more are far above the limit together.
    for (const { link } of this.#connected) link.flow()
    return this.#congested
  }

  /** Lets senders go on when less waits than before, and little enough. */
  relieve(): void {
    const { pendingBytes, isBehind } = this.#waiting
    if (!this.#congested || pendingBytes() > PENDING_BYTES_MAX / 2 || isBehind()) return
    this.#congested = false
    // Those whose lines are refused come last, else they would fill what is free again and again.
    const [trusted, doubted] = [true, false].map((is) =>
      Array.from(this.#connected).filter((sender) => sender.trusted === is),
    )
    for (const sender of [...trusted!, ...doubted!]) {
      if (this.#congested) return
      // A sender that has had a turn is last in the next.
      this.#connected.moveToEnd(sender)
      sender.link.flow()
    }
  }
}
