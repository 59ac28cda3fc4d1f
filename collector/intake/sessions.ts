import type { Senders } from '../../log/senders.ts'
import type { OpenBlock } from './blocks.ts'
import { AGENT_TWICE_MS } from './limits.ts'
import type { Receipt, Sender } from './sender.ts'

/** One agent id while a sender holds it or something of it is in flight. */
interface Session {
  /** The sender that speaks for the agent. */
  holder: Sender | null
  /** Highest seq put into a block, durable or not. */
  appended: number
  /** Highest seq known to be durable. */
  durable: number
  inFlight: number
  /** The block that its last message went into, by whatever connection it came. */
  block: OpenBlock | null
  /** Repeats of what is in flight: settled when their first copies are. */
  waiting: Receipt[]
  /** When a sender that was connected was last displaced by another. */
  displacedMs: number
}

/**
 * What the collector knows of numbered senders: which seq is durable, which is in flight, which sender holds the id. The
 * log is the memory; a session only adds what is not durable yet.
 *
 *     durable ≤ appended.  seq ≤ durable: a repeat, settled.  ≤ appended: a repeat, settled with its copy.  above: new
 */
export class Sessions {
  readonly #senders: Senders
  readonly #settle: (receipt: Receipt, durable: boolean) => void
  readonly #sessions = new Map<string, Session>()
  /** The session asked for last. */
  #lastAgent = ''
  #last: Session | null = null
  /** Sessions kept only because one sender displaced another, oldest first. */
  #remembered: { agent: string; sinceMs: number }[] = []

  /** `settle` is called when the first copies of repeats are durable, or never will be. */
  constructor(senders: Senders, settle: (receipt: Receipt, durable: boolean) => void) {
    this.#senders = senders
    this.#settle = settle
  }

  /** Counts what is held in memory: agents, and repeats that wait for their first copies. */
  get size(): { agents: number; waiting: number } {
    let waiting = 0
    for (const session of this.#sessions.values()) waiting += session.waiting.length
    return { agents: this.#sessions.size, waiting }
  }

  /**
   * Gives `agent` to `sender`, after the one before has settled and closed. Resolves with the highest durable seq, and
   * whether two senders are taking the id from each other.
   */
  async take(agent: string, sender: Sender, nowMs: number): Promise<{ seq: number; twice: boolean }> {
    this.#forgetOld(nowMs)
    const session = this.#at(agent)
    const before = session.holder
    session.holder = sender
    let twice = false
    if (before !== null) {
      twice = Math.abs(nowMs - session.displacedMs) < AGENT_TWICE_MS
      session.displacedMs = nowMs
      await before.link.displace(twice)
    }
    return { seq: Math.max(session.durable, this.#senders.highestSeq(agent)), twice }
  }

  /** Forgets `sender`, which spoke for `agent` and is gone. */
  leave(agent: string, sender: Sender, nowMs: number): void {
    const session = this.#sessions.get(agent)
    if (session === undefined) return
    if (session.holder === sender) session.holder = null
    session.waiting = session.waiting.filter((receipt) => receipt.sender !== sender)
    this.#forget(agent, session, nowMs)
  }

  /** Returns whether `seq` is new. It is then in flight, until `settled` says otherwise. */
  isNew(agent: string, seq: number): boolean {
    const session = this.#at(agent)
    if (seq <= session.appended) return false
    session.appended = seq
    session.inFlight += 1
    return true
  }

  /** Returns the block that the agent's last message went into; null when it is not known, and then durable. */
  blockOf(agent: string): OpenBlock | null {
    return this.#at(agent).block
  }

  /** Notes that the agent's last message went into `block`. */
  put(agent: string, block: OpenBlock): void {
    this.#at(agent).block = block
  }

  /** Settles `receipt`, of repeats of `agent`, when their first copies are settled; more of them may join it meanwhile. */
  repeated(agent: string, receipt: Receipt): void {
    const session = this.#at(agent)
    if (receipt.seq <= session.durable) this.#settle(receipt, true)
    else session.waiting.push(receipt)
  }

  /** Notes that `count` messages up to `seq` that were in flight are durable, or never will be. */
  settled(agent: string, seq: number, count: number, durable: boolean, nowMs: number): void {
    const session = this.#at(agent)
    session.inFlight -= count
    if (durable) session.durable = Math.max(session.durable, seq)
    else session.appended = session.durable
    const waiting = session.waiting
    session.waiting = []
    for (const receipt of waiting) {
      if (receipt.seq > session.durable && durable) session.waiting.push(receipt)
      else this.#settle(receipt, durable)
    }
    this.#forget(agent, session, nowMs)
  }

  #at(agent: string): Session {
    // Many messages of one agent come behind each other.
    if (agent === this.#lastAgent && this.#last !== null) return this.#last
    let session = this.#sessions.get(agent)
    if (session === undefined) {
      const seq = this.#senders.highestSeq(agent)
      session = {
        holder: null,
        appended: seq,
        durable: seq,
        inFlight: 0,
        block: null,
        waiting: [],
        displacedMs: Number.NEGATIVE_INFINITY,
      }
      this.#sessions.set(agent, session)
    }
    this.#lastAgent = agent
    this.#last = session
    return session
  }

  /** What the log knows as well need not be held, unless one sender displaced another a short while ago. */
  #forget(agent: string, session: Session, nowMs: number): void {
    if (session.holder !== null || session.inFlight > 0 || session.waiting.length > 0) return
    if (Math.abs(nowMs - session.displacedMs) < AGENT_TWICE_MS)
      this.#remembered.push({ agent, sinceMs: nowMs })
    else {
      this.#sessions.delete(agent)
      this.#last = null
    }
  }

  #forgetOld(nowMs: number): void {
    const isOld = ({ sinceMs }: { sinceMs: number }) => Math.abs(nowMs - sinceMs) >= AGENT_TWICE_MS
    while (this.#remembered.length > 0 && isOld(this.#remembered[0]!)) {
      const { agent } = this.#remembered.shift()!
      const session = this.#sessions.get(agent)
      if (session !== undefined) this.#forget(agent, session, nowMs)
    }
  }
}
