import type { Senders } from '../../log/senders.ts'
import type { OpenBlock } from './blocks.ts'
import { AGENT_TWICE_MS } from './limits.ts'

/** One agent id while somebody speaks for it or something of it is in flight. */
interface Session {
  holder: Held | null
  /** Highest seq put into a block, durable or not. */
  appended: number
  /** Highest seq known to be durable. */
  durable: number
  inFlight: number
  /** The block that its last message went into, whatever connection brought it. */
  block: OpenBlock | null
  /** Repeats of what is in flight: settled when that copy is. */
  waiting: { repeats: { readonly seq: number }; holder: Held; settle: (durable: boolean) => void }[]
  /** When a living connection was last displaced by another. */
  displacedMs: number
}

/** The connection that speaks for an agent. */
export interface Held {
  /** Settles what it delivered, then closes; `twice` tells the sender that another uses its id. */
  displace(twice: boolean): Promise<void>
}

/**
 * What the collector knows of the numbered senders: which seq is durable, which is in flight, who holds the id. The log
 * is the memory; a session only adds what is not durable yet.
 *
 *     durable ≤ appended.  seq ≤ durable: a repeat, settled.  ≤ appended: a repeat, settled with its copy.  above: new
 */
export class Sessions {
  readonly #senders: Senders
  readonly #sessions = new Map<string, Session>()
  /** The session asked for last. */
  #lastAgent = ''
  #last: Session | null = null
  /** Sessions kept only for the memory of who displaced whom, oldest first. */
  #remembered: { agent: string; sinceMs: number }[] = []

  constructor(senders: Senders) {
    this.#senders = senders
  }

  /** What is held in memory: agents, and repeats that wait for their first copy. */
  get size(): { agents: number; waiting: number } {
    let waiting = 0
    for (const session of this.#sessions.values()) waiting += session.waiting.length
    return { agents: this.#sessions.size, waiting }
  }

  /**
   * Gives `agent` to `holder`, after the one before has settled and closed. Resolves with the highest durable seq, and
   * whether two senders are taking the id from each other.
   */
  async take(agent: string, holder: Held, nowMs: number): Promise<{ seq: number; twice: boolean }> {
    this.#forgetOld(nowMs)
    const session = this.#at(agent)
    const before = session.holder
    session.holder = holder
    let twice = false
    if (before !== null) {
      twice = Math.abs(nowMs - session.displacedMs) < AGENT_TWICE_MS
      session.displacedMs = nowMs
      await before.displace(twice)
    }
    return { seq: Math.max(session.durable, this.#senders.highestSeq(agent)), twice }
  }

  /** `holder` is gone. */
  leave(agent: string, holder: Held, nowMs: number): void {
    const session = this.#sessions.get(agent)
    if (session === undefined) return
    if (session.holder === holder) session.holder = null
    session.waiting = session.waiting.filter((one) => one.holder !== holder)
    this.#forget(agent, session, nowMs)
  }

  /** Whether `seq` is new. From now on it is in flight, until `settled` says otherwise. */
  isNew(agent: string, seq: number): boolean {
    const session = this.#at(agent)
    if (seq <= session.appended) return false
    session.appended = seq
    session.inFlight += 1
    return true
  }

  /** The block that the agent's last message went into; null when it is not known, and then durable. */
  blockOf(agent: string): OpenBlock | null {
    return this.#at(agent).block
  }

  /** The agent's last message went into that block. */
  put(agent: string, block: OpenBlock): void {
    this.#at(agent).block = block
  }

  /**
   * Calls `settle` when the first copies of repeats from `holder` are durable, or never will be. More of them may come meanwhile:
   * `seq` is then that of the highest.
   */
  repeated(
    agent: string,
    repeats: { readonly seq: number },
    holder: Held,
    settle: (durable: boolean) => void,
  ): void {
    const session = this.#at(agent)
    if (repeats.seq <= session.durable) settle(true)
    else session.waiting.push({ repeats, holder, settle })
  }

  /** The copies of so many seqs up to `seq` that were in flight are durable, or never will be. */
  settled(agent: string, seq: number, count: number, durable: boolean, nowMs: number): void {
    const session = this.#at(agent)
    session.inFlight -= count
    if (durable) session.durable = Math.max(session.durable, seq)
    else session.appended = session.durable
    const waiting = session.waiting
    session.waiting = []
    for (const one of waiting) {
      if (one.repeats.seq > session.durable && durable) session.waiting.push(one)
      else one.settle(durable)
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

  /** What the log knows as well need not be held, but for the memory of who displaced whom. */
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
