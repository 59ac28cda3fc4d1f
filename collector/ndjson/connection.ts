import type { ErrorCode } from '../../schemas/errors.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import { type Receipt, Sender, type SenderLink } from '../intake/sender.ts'
import { Conversation, type OpenConnection } from './conversation.ts'
import { Inbox } from './inbox.ts'
import {
  ENDING_MS_MAX,
  UNREAD_BYTES_MAX,
  UNSETTLED_LINES_MAX,
  UNSETTLED_REFUSALS_MAX,
} from './line-limits.ts'
import { judgeFirstByte } from './other-protocols.ts'
import { Replies } from './replies.ts'
import type { Shared } from './shared.ts'
import { Timeouts } from './timeouts.ts'

/**
 * `open`: lines are taken. `ending`: none is taken any more, answers are still due. `ended`: this side is closed, the
 * peer's is not. What arrives in either is dropped, never acknowledged.
 */
type State = 'open' | 'ending' | 'ended' | 'gone'

/**
 * One connection: its state, and when it is read. What its lines mean is the conversation's.
 *
 *     socket ─▶ inbox ─▶ conversation ─▶ intake
 *     socket ◀────────── answers ◀────── receipts
 *
 *     open ─┬─ the peer closed its side, or the collector stops, or a newer connection has the id ─▶ ending
 *           └─ refused ─────────────────────────────────────────────────────┐    all is settled │
 *                                                                           └──▶ ended ◀────────┘
 *     ended ── the peer closed its side too, or took too long ─▶ gone
 */
export class Connection implements SenderLink, OpenConnection {
  readonly #socket: Socket
  readonly #shared: Shared
  readonly #sender: Sender
  readonly #answers: Replies
  readonly #conversation: Conversation
  readonly #inbox: Inbox
  readonly #timeouts: Timeouts
  #state: State = 'open'
  /** Whether nothing came yet. */
  #silent = true
  /** Whether the peer closed its side while lines still wait. */
  #endWaits = false
  #paused = false
  #cancelEnding = () => {}

  constructor(socket: Socket, shared: Shared) {
    this.#socket = socket
    this.#shared = shared
    this.#sender = new Sender(socket.remoteAddress.replace(/^::ffff:/, ''), this)
    this.#answers = new Replies(socket, () => this.flow())
    this.#conversation = new Conversation(this.#sender, this, this.#answers, shared)
    this.#inbox = new Inbox(shared.lineBuffer, this.#conversation, () => this.#mustStop())
    socket.handle({
      data: (bytes) => this.#data(bytes),
      end: () => this.#end(),
      drain: () => this.flow(),
      close: () => this.#gone(),
    })
    this.#timeouts = new Timeouts(shared, {
      waits: () => !this.#answers.areDone || this.#conversation.holdsLines || this.#paused,
      unreadBytes: () => socket.pendingBytes(),
      refuse: (code, reason) => this.refuse(code, reason),
      destroy: () => this.destroy(),
    })
    shared.intake.connected.enter(this.#sender)
  }

  isOpen(): boolean {
    return this.#state === 'open'
  }

  #data(bytes: Uint8Array): void {
    if (this.#state !== 'open') return
    const misdirected = this.#silent ? judgeFirstByte(bytes[0]!) : null
    this.#silent = false
    if (misdirected !== null) {
      this.refuse(misdirected.code, misdirected.reason)
      return
    }
    this.#timeouts.heard(bytes)
    this.#inbox.add(bytes)
    this.flow()
  }

  /** The sender closed its side in order: a last line without newline counts. */
  #end(): void {
    if (this.#state !== 'open') return
    this.#endWaits = this.#conversation.holdsLines || !this.#inbox.isEmpty
    if (this.#endWaits) return
    this.#inbox.end()
    this.#endWaits = this.#conversation.holdsLines
    if (!this.#endWaits) this.finish()
  }

  settled(_receipt: Receipt, durable: boolean): void {
    if (durable) this.#answers.settle()
    // It will never be acknowledged: the sender must come back with it.
    else this.destroy()
  }

  /** Resolves when everything delivered so far is durable or refused, and said so. */
  async #allSettled(): Promise<void> {
    if (!this.#answers.areDone || this.#conversation.holdsLines) await this.#answers.done()
  }

  async displace(twice: boolean): Promise<void> {
    if (this.#state === 'ended' || this.#state === 'gone') return
    this.#state = 'ending'
    this.flow()
    this.#shared.intake.flush()
    if (!this.#conversation.holdsLines) await this.#allSettled()
    if (twice) this.#conversation.tell('E_AGENT_TWICE', 'another sender uses this agent id')
    this.hangUp()
  }

  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#shared.intake.flush()
    void this.#allSettled().then(() => this.hangUp())
  }

  checkAccess(): void {
    this.#conversation.tokenCheck.check()
  }

  refuse(code: ErrorCode, reason: string): void {
    this.#conversation.tell(code, reason)
    this.hangUp()
  }

  /** Closes this side once what was written is sent; the peer has `ENDING_MS_MAX` to close its own. */
  hangUp(): void {
    if (this.#state === 'ended' || this.#state === 'gone') return
    this.#state = 'ended'
    this.#answers.close()
    this.#conversation.tokenCheck.close()
    this.#timeouts.stop()
    this.#cancelEnding = this.#shared.clock.after(ENDING_MS_MAX, () => this.destroy())
    this.#socket.end()
    // Read on, else the end of the peer's side is never seen.
    this.#socket.resume()
  }

  destroy(): void {
    if (this.#state === 'gone') return
    this.#state = 'ended'
    this.#answers.close()
    this.#socket.destroy()
  }

  flow(): void {
    if (this.#state === 'ended' || this.#state === 'gone') return
    // What has arrived goes before what is still to be read.
    this.#conversation.goOn()
    if (this.#state === 'open') this.#inbox.goOn()
    if (this.#endWaits && this.#inbox.isEmpty && !this.#conversation.holdsLines) this.#end()
    // Of a sender that is displaced nothing is taken any more: it is read on, so that its end is seen.
    const stop = this.#state === 'open' && (!this.#inbox.isEmpty || this.#mustStop())
    if (stop === this.#paused) return
    this.#paused = stop
    if (stop) this.#socket.pause()
    else this.#socket.resume()
    if (!stop) this.#timeouts.readAgain()
  }

  /** Whether a limit is reached. */
  #mustStop(): boolean {
    return (
      // Line 1 is always looked at: a hello frees the connection that its agent left.
      (!this.#conversation.isNew && this.#shared.intake.backPressure.isCongested()) ||
      this.#conversation.holdsLines ||
      this.#answers.waiting >= UNSETTLED_LINES_MAX ||
      this.#conversation.refusals >= UNSETTLED_REFUSALS_MAX ||
      this.#socket.pendingBytes() > UNREAD_BYTES_MAX
    )
  }

  #gone(): void {
    this.#state = 'gone'
    this.#conversation.tokenCheck.close()
    this.#timeouts.stop()
    this.#cancelEnding()
    this.#answers.gone()
    this.#shared.intake.leave(this.#sender)
  }
}
