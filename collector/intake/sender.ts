import type { NotedAgent } from './seen-agents.ts'

/** What the intake asks of the protocol by which a sender is connected. */
export interface SenderLink {
  /** The messages of `receipt` are durable, or never will be: the sender must then come back with them. */
  settled(receipt: Receipt, durable: boolean): void
  /** Settles what was delivered, then closes; `twice` tells the sender that another one uses its id. */
  displace(twice: boolean): Promise<void>
  /** Reads on or stops reading, as the limits say. */
  flow(): void
  /** Tokens came or went: closes the connection of a sender that may no longer send. */
  checkAccess(): void
  /** Answers what was delivered, then closes. */
  finish(): void
  /** Closes in order, telling nothing more. */
  hangUp(): void
  /** Closes at once. */
  destroy(): void
}

/** One sender while it is connected, by whatever protocol. */
export class Sender {
  /** Its address. */
  readonly remote: string
  readonly link: SenderLink
  /** Its id where its messages are numbered, else null. */
  agent: string | null = null
  /** What the status says of it; null where its messages are not numbered. */
  seen: NotedAgent | null = null
  /** Partition of the log that its messages go to; null before it is known. */
  partition: number | null = null
  /** Whether it sends good messages, as far as is known. */
  trusted = false
  /** The receipt that it got last. */
  lastReceipt: Receipt | null = null

  constructor(remote: string, link: SenderLink) {
    this.remote = remote
    this.link = link
  }
}

/** What a sender gets for messages that settle together: those it put into one block, repeats, or one that is refused. */
export class Receipt {
  readonly sender: Sender
  /** What its messages wait for, compared by identity: a block, or `REPEATS`; null for a refused one. */
  readonly waitsFor: object | null
  messages = 1
  /** The highest number among them, 0 without numbers. */
  seq: number
  settled = false

  /** It is the sender's last one from now on. */
  constructor(sender: Sender, waitsFor: object | null, seq: number) {
    this.sender = sender
    this.waitsFor = waitsFor
    this.seq = seq
    sender.lastReceipt = this
  }

  /** Adds one more message. Returns false when that one waits for something else, or this receipt is settled. */
  extend(waitsFor: object, seq: number): boolean {
    if (this.waitsFor !== waitsFor || this.settled) return false
    this.messages += 1
    if (seq > this.seq) this.seq = seq
    return true
  }
}

/** What repeats wait for: their first copies, in whatever blocks those are. */
export const REPEATS = { name: 'repeats' }
