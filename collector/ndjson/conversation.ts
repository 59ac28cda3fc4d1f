import { DEFAULT_DATASET } from '../../schemas/dataset.ts'
import type { ErrorCode } from '../../schemas/errors.ts'
import type { DatasetIntake } from '../intake/dataset-intake.ts'
import { AHEAD_MS_MAX, CLOCK_AGREED_MS } from '../intake/limits.ts'
import { Receipt, type Sender } from '../intake/sender.ts'
import type { LineDecoder } from './decode/decoder.ts'
import { type Hello, parseHello } from './hello.ts'
import { LINE_BYTES_MAX } from './line-limits.ts'
import type { LineReader, RawLine } from './line-splitter.ts'
import { decodeLine, type LineContext } from './message-line.ts'
import { judgeFirstLine } from './other-protocols.ts'
import { type Refusal, refusal, tooMany, unknownDataset } from './refusals.ts'
import type { Replies } from './replies.ts'
import type { Shared } from './shared.ts'
import { TokenCheck } from './token-check.ts'

/** What a conversation needs of its connection. */
export interface OpenConnection {
  /** Whether lines are still taken. */
  isOpen(): boolean
  /** Reads on or stops reading, as the limits say. */
  flow(): void
  /** Tells the sender why, and closes. */
  refuse(code: ErrorCode, reason: string): void
}

/**
 * What the lines of one connection mean.
 *
 *     first line, where it is of HTTP, or a token is needed and not there ─▶ told so, closed
 *     first line ─┬─ hello ─▶ (the older connection closes) ─▶ welcome ─▶ numbered: acks are seqs
 *                 └─ a message ─▶ unnumbered: acks count lines
 *     line ─┬─ wrong ─▶ kept in rejects ─▶ error line ─▶ settled
 *           └─ right ─▶ offered to the intake ─▶ settled with its receipt
 *
 * Lines in their usual form are decoded where they lie, all others by the complete path. Lines behind a hello wait for
 * its welcome; a first line that is no hello waits while the intake is congested, and those behind it too.
 */
export class Conversation implements LineReader {
  readonly sender: Sender
  readonly tokenCheck: TokenCheck
  readonly #connection: OpenConnection
  readonly #answers: Replies
  readonly #shared: Shared
  /** What takes lines that name no dataset. */
  #dataset: DatasetIntake
  #decoder: LineDecoder
  #context: LineContext
  #lineNumber = 0
  /** Refused lines that wait to be kept. */
  #refusals = 0
  /** How far the clock of this machine stood behind when the sender showed that its own agrees, and when that was; null where it did not. */
  #agreed: { readonly behindMs: number; readonly atMs: number } | null = null
  /** Lines that wait; null while none need to. */
  #held: RawLine[] | null = null

  constructor(sender: Sender, connection: OpenConnection, answers: Replies, shared: Shared) {
    this.sender = sender
    this.#connection = connection
    this.#answers = answers
    this.#shared = shared
    this.#dataset = shared.intake.datasets.get(DEFAULT_DATASET)!
    this.#decoder = shared.decoders.get(DEFAULT_DATASET)!
    this.tokenCheck = new TokenCheck(shared, sender.remote, (code, reason) => connection.refuse(code, reason))
    this.#context = this.#contextAt(shared.clock.nowMs())
  }

  /** Whether no line was taken yet. */
  get isNew(): boolean {
    return this.#lineNumber === 0
  }

  /** Whether lines wait. */
  get holdsLines(): boolean {
    return this.#held !== null
  }

  /** Refused lines that wait to be kept. */
  get refusals(): number {
    return this.#refusals
  }

  /** Notes that lines arrive now. */
  arrive(): void {
    const nowMs = this.#shared.clock.nowMs()
    this.#context = this.#contextAt(nowMs)
    this.#shared.intake.datasets.setTime(nowMs)
  }

  #contextAt(arrivalMs: number): LineContext {
    const { remote, agent } = this.sender
    return { arrivalMs, oldestMs: this.#shared.oldestMs, senderAddress: remote, agent }
  }

  inPlace(from: number): number {
    // The first line may be a hello; of a peer that was refused nothing is taken.
    if (this.#lineNumber === 0 || this.#held !== null || !this.#connection.isOpen()) return -1
    const end = this.#decoder.decode(from, this.#context)
    if (end < 0 || end - from > LINE_BYTES_MAX) return -1
    this.#lineNumber += 1
    this.#answers.add(this.#shared.intake.offer(this.#dataset.row, this.sender))
    return end
  }

  line(raw: RawLine): void {
    if (!this.#connection.isOpen()) return
    if (this.#held !== null) this.#held.push(raw)
    else if (this.#lineNumber === 0) this.#firstLine(raw)
    else this.#nextLine(raw)
  }

  #firstLine(raw: RawLine): void {
    const misdirected = judgeFirstLine(raw.bytes)
    if (misdirected !== null) {
      this.#lineNumber = 1
      this.#connection.refuse(misdirected.code, misdirected.reason)
      return
    }
    const hello = raw.tooLong ? null : parseHello(raw.bytes)
    const isHello = hello !== null && !('code' in hello)
    if (!isHello && this.#shared.intake.backPressure.isCongested()) {
      this.#held = [raw]
      return
    }
    if (hello === null) this.#firstIsMessage(raw)
    else this.#firstIsHello(raw, hello)
  }

  #firstIsMessage(raw: RawLine): void {
    this.#lineNumber = 1
    if (this.tokenCheck.admits(null)) this.#judge(raw)
  }

  #firstIsHello(raw: RawLine, hello: Hello | Refusal): void {
    this.#lineNumber = 1
    if (!this.tokenCheck.admits(hello)) return
    if ('code' in hello) this.#refuse(raw, hello)
    else if (!this.#useDataset(hello.dataset)) this.#refuse(raw, unknownDataset(hello.dataset, null))
    else if (hello.agent === null) this.#settle(this.#waitAlone(0))
    else if (this.#isBehind(hello))
      this.#sendAway(clocks(hello.timeMs!, this.#shared.clock.nowMs()), hello.timeMs)
    else this.#welcome(hello.agent, hello)
  }

  /** Every message of now would be refused, and with that be settled: the sender does better to keep them. */
  #isBehind({ timeMs }: Hello): boolean {
    return timeMs !== null && timeMs > this.#shared.clock.nowMs() + AHEAD_MS_MAX
  }

  /** Closes the connection of a sender that keeps what is not acknowledged, until a clock is set. */
  #sendAway(reason: string, showsMs: number | null): void {
    this.#shared.intake.ownClock.sendsAway(this.sender.remote, reason, showsMs)
    this.#connection.refuse('E_CLOCK', reason)
  }

  #nextLine(raw: RawLine): void {
    this.#lineNumber += 1
    this.#judge(raw)
  }

  #judge(raw: RawLine): void {
    if (raw.tooLong) this.#refuse(raw, refusal('E_LINE_TOO_LONG', 'the line is longer than 64 KiB'))
    else this.#message(raw)
  }

  /** Takes lines that name no dataset as those of `name`, where that is one. Returns false when there is no such dataset. */
  #useDataset(name: string | null): boolean {
    if (name === null) return true
    const dataset = this.#shared.intake.datasets.get(name)
    if (dataset === undefined) return false
    this.#dataset = dataset
    this.#decoder = this.#shared.decoders.get(name)!
    return true
  }

  #message(raw: RawLine): void {
    const { intake } = this.#shared
    const decoded = decodeLine(raw.bytes, this.#context, {
      usual: this.#dataset.dataset,
      named: (name) => intake.datasets.get(name)?.dataset ?? null,
    })
    if ('code' in decoded) {
      if (this.#mayBeRight(decoded)) {
        this.#sendAway(behind(decoded.reason), null)
        return
      }
      const isHello = decoded.field !== null && parseHello(raw.bytes) !== null
      this.#refuse(raw, isHello ? refusal('E_HELLO', 'the hello must be line 1') : decoded)
      return
    }
    intake.counts.ignoredFields += decoded.ignoredFields
    const dataset = intake.datasets.get(decoded.dataset.name)!
    const offered = intake.offerMessage(dataset, decoded.message, this.sender)
    if (offered instanceof Receipt) this.#answers.add(offered)
    else this.#refuse(raw, tooMany(offered, decoded.message.seq))
  }

  /**
   * Whether it may be this machine's clock that is at fault; refusing would settle the message of a sender that could keep it. Where this
   * clock stands behind, that of a sender which agreed may have been set right since: its next hello tells.
   */
  #mayBeRight({ isByClock = false }: Refusal): boolean {
    if (!isByClock || this.sender.agent === null) return false
    const { intake, clock } = this.#shared
    if (this.#agreed === null) return intake.ownClock.isWaitedFor()
    const { behindMs, atMs } = this.#agreed
    return intake.ownClock.wentBack(clock.nowMs() - atMs > CLOCK_AGREED_MS ? 0 : behindMs)
  }

  #welcome(agent: string, about: Hello): void {
    const { intake, clock } = this.#shared
    const behindMs = intake.ownClock.behindMs()
    this.#held = []
    void intake.take(agent, this.sender).then(({ seq, twice }) => {
      if (!this.#connection.isOpen()) return
      intake.welcomed(this.sender, about)
      this.#answers.welcome(seq)
      if (about.timeMs !== null) this.#agreed = { behindMs, atMs: clock.nowMs() }
      if (twice) this.tell('E_AGENT_TWICE', 'two senders use this agent id and take it from each other')
      this.#release()
      this.#connection.flow()
    })
  }

  /** Takes a first line that waited for the intake, once it takes more. */
  goOn(): void {
    if (this.#held !== null && this.isNew && !this.#shared.intake.backPressure.isCongested()) this.#release()
  }

  /** Takes the lines that waited. */
  #release(): void {
    const held = this.#held!
    this.#held = null
    this.#context = this.#contextAt(this.#shared.clock.nowMs())
    for (const line of held) this.line(line)
  }

  #refuse(raw: RawLine, { code, field, reason, seq }: Refusal): void {
    const line = this.#lineNumber
    const { agent, remote } = this.sender
    const receipt = this.#waitAlone(agent === null ? 0 : (seq ?? 0))
    this.#refusals += 1
    this.sender.trusted = false
    const kept = this.#shared.intake.refuse({
      timeMs: this.#shared.clock.nowMs(),
      remote,
      agent,
      line,
      code,
      field,
      reason,
      rawLine: raw.bytes,
    })
    void kept.then(() => {
      this.#refusals -= 1
      const where = { line, ...(seq === null ? {} : { seq }) }
      this.#answers.error({ ...where, code, ...(field === null ? {} : { field }), message: reason })
      this.#settle(receipt)
    })
  }

  /** Returns a receipt for the line alone. */
  #waitAlone(seq: number): Receipt {
    const receipt = new Receipt(this.sender, null, seq)
    this.#answers.add(receipt)
    return receipt
  }

  #settle(receipt: Receipt): void {
    receipt.settled = true
    this.#answers.settle()
  }

  /** Tells the sender something that is about no line. */
  tell(code: ErrorCode, message: string): void {
    this.#answers.error({ line: this.#lineNumber, code, message })
  }
}

function behind(reason: string): string {
  return `the clock of the collector went back, or was never set: ${reason}`
}

function clocks(senderMs: number, ownMs: number): string {
  const time = (ms: number) => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms))
  return `by this collector's clock it is ${time(ownMs)}, by the sender's ${time(senderMs)}: one of them is wrong`
}
