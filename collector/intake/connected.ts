import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { Sender } from './sender.ts'

/** The senders that are connected, by whatever protocol, in the order in which they have their turns. */
export class Connected {
  readonly #senders = new Set<Sender>()
  #whenEmpty = () => {}

  get size(): number {
    return this.#senders.size
  }

  [Symbol.iterator](): Iterator<Sender> {
    return this.#senders.values()
  }

  enter(sender: Sender): void {
    this.#senders.add(sender)
  }

  leave(sender: Sender): void {
    this.#senders.delete(sender)
    if (this.#senders.size === 0) this.#whenEmpty()
  }

  /** Moves `sender` behind all others. */
  moveToEnd(sender: Sender): void {
    this.#senders.delete(sender)
    this.#senders.add(sender)
  }

  /** Resolves when no sender is left, or after `ms`. */
  async empty(clock: Clock, ms: number): Promise<void> {
    if (this.#senders.size === 0) return
    const enough = new AbortController()
    this.#whenEmpty = () => enough.abort()
    await sleep(clock, ms, enough.signal)
  }
}
