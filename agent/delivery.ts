import { Coalesced } from '../schemas/coalesced.ts'
import type { Dataset } from '../schemas/dataset.ts'
import { describeError, ERRORS } from '../schemas/errors.ts'
import { toLine } from '../schemas/message.ts'
import { type Clock, type Random, sleep } from '../schemas/ports/clock.ts'
import type { Socket } from '../schemas/ports/net.ts'
import { AGENT_ID_BYTES, type Backlog } from './backlog.ts'
import type { Backoff } from './backoff.ts'
import { ANSWER_MS_MAX, BATCH_MAX, Flow } from './flow.ts'
import type { Answer } from './link.ts'
import { counted, type LossReport } from './losses.ts'

/** The pause behind a full batch: a backlog drains at 2,000 a second at most. */
const BATCH_PAUSE_MS = 50
/** Errors that refuse the whole connection, until somebody changes something. */
const REFUSALS: ReadonlySet<string> = new Set(['E_TOKEN', 'E_TLS', 'E_CLOCK'])

export interface DeliveryDeps {
  readonly dataset: Dataset
  readonly backlog: Backlog
  readonly losses: LossReport
  readonly backoff: Backoff
  readonly clock: Clock
  readonly random: Random
  /** Aborts when nothing is to be sent any more. */
  readonly signal: AbortSignal
  logLine(line: string): void
}

/** Brings the backlog to the collector over one connection after the other: sends in order, and forgets what it settles. */
export class Delivery {
  readonly flow = new Flow()
  readonly #deps: DeliveryDeps
  readonly #sending: Coalesced
  #socket: Socket | null = null
  /** Why the collector refused the last connection; said once until the next welcome. */
  #refusal = ''
  #whenEmpty = () => {}

  constructor(deps: DeliveryDeps) {
    this.#deps = deps
    this.#sending = new Coalesced(() => this.#sendAll(), {
      say: (reason) => deps.logLine(`agent: ${reason}`),
    })
  }

  /** A connection is there: says hello on it, with what else there is to say. */
  begin(socket: Socket, about: Readonly<Record<string, string>>): void {
    const { backlog, clock, losses } = this.#deps
    this.#socket = socket
    this.flow.asked(clock.nowMs())
    const lost = losses.tell(backlog.lost)
    const hello = { hello: 1, agent: backlog.agent, time: clock.nowMs(), ...about, ...(lost > 0 && { lost }) }
    socket.write(`${JSON.stringify(hello)}\n`)
  }

  /** The connection is gone. */
  end(): void {
    this.#socket = null
    this.flow.ended()
  }

  receive(answer: Answer): void {
    this.flow.heard()
    if (answer.kind === 'welcome') void this.#welcomed(answer.seq)
    else if (answer.kind === 'ack') this.#settled(answer.seq)
    else if (REFUSALS.has(answer.code)) this.#refused(answer.code, answer.message)
    else this.#deps.logLine(`agent: the collector says: ${answer.message} (${answer.code})`)
  }

  /** Sends what waits, as far as the collector takes it. */
  send(): void {
    // A failure is in the log; the next sample tries again.
    void this.#sending.kick()
  }

  /** Leaves a connection that died without a word; the next one begins behind what is durable. */
  leaveSilence(): void {
    const { clock, logLine } = this.#deps
    if (!this.flow.fellSilent(clock.nowMs())) return
    logLine(`agent: no answer for ${ANSWER_MS_MAX / 1_000} s; connecting again`)
    this.#socket?.destroy()
  }

  /** Resolves when nothing waits any more; at once when nothing would be sent. */
  drained(): Promise<void> {
    if (this.#deps.backlog.size === 0 || !this.flow.isWelcome) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenEmpty = resolve
    })
  }

  /** Closes the connection, in order or at once. */
  hangUp(how: 'end' | 'destroy'): void {
    this.#socket?.[how]()
  }

  /** Resolves when nothing is being sent any more. */
  ended(): Promise<void> {
    return this.#sending.close()
  }

  /** Sends what waits and fits into the window, in order. */
  async #sendAll(): Promise<void> {
    const { dataset, backlog, clock, signal } = this.#deps
    for (;;) {
      const socket = this.#socket
      const from = this.flow.sentSeq
      if (socket === null || from === null || signal.aborted) return
      const room = this.flow.room()
      const messages = room > 0 ? await backlog.after(from, room) : []
      // Meanwhile the connection may have been lost, or another welcome come.
      if (this.#socket !== socket || this.flow.sentSeq !== from) continue
      if (messages.length === 0) return
      for (const message of messages)
        socket.write(`${toLine(dataset, { ...message, agent: backlog.agent })}\n`)
      this.flow.sent(messages.at(-1)!.seq, clock.nowMs())
      if (messages.length === BATCH_MAX) await sleep(clock, BATCH_PAUSE_MS, signal)
    }
  }

  async #welcomed(seq: number): Promise<void> {
    const { backlog, backoff, losses, logLine } = this.#deps
    backoff.reset()
    this.#refusal = ''
    const known = losses.welcomed()
    if (known > 0) logLine(`agent: the collector knows that ${counted(known)} lost`)
    backlog.told(known)
    if (seq > backlog.highestSeq) return this.#takeNewId()
    this.#settled(seq)
    this.flow.welcomed(seq)
    this.send()
  }

  /** Another sender used this id. */
  async #takeNewId(): Promise<void> {
    const { backlog, random, logLine } = this.#deps
    logLine('agent: another sender used this id; taking a new one')
    const socket = this.#socket
    await backlog
      .renumber(random.hex(AGENT_ID_BYTES))
      .catch((error) => logLine(`agent: no new id: ${describeError(error)}`))
    this.flow.renumbered()
    socket?.destroy()
  }

  #settled(seq: number): void {
    const { backlog, clock, losses } = this.#deps
    this.flow.settled(seq)
    backlog.settled(seq)
    if (backlog.size === 0) {
      losses.caughtUp()
      this.#whenEmpty()
    }
    this.send()
    this.flow.expectMore(clock.nowMs())
  }

  /** Only somebody's doing helps, so it tries again slowly. */
  #refused(code: string, message: string): void {
    this.#deps.backoff.slow()
    if (message === this.#refusal) return
    this.#refusal = message
    const { hint } = ERRORS[code as keyof typeof ERRORS]
    this.#deps.logLine(`agent: the collector refuses: ${message} (${code}); ${hint}; trying again slowly`)
  }
}
