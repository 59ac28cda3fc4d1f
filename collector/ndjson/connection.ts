import { DEFAULT_DATASET } from '../../schemas/dataset.ts'
import type { ErrorCode } from '../../schemas/errors.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import type { DatasetIntake } from '../intake/dataset-intake.ts'
import {
  ENDING_MS_MAX,
  LINE_BYTES_MAX,
  UNREAD_BYTES_MAX,
  UNSETTLED_LINES_MAX,
  UNSETTLED_REFUSALS_MAX,
} from '../intake/limits.ts'
import type { Held } from '../intake/sessions.ts'
import { Answers, type Entry, REPEATS } from './answers.ts'
import { lineBytes, partBytes } from './chunk-size.ts'
import type { LineDecoder } from './decode/decoder.ts'
import { parseHello } from './hello.ts'
import { type LineReader, LineSplitter, type RawLine } from './line-splitter.ts'
import { decodeLine, type LineContext, type Refusal } from './message-line.ts'
import { refusal, tooMany, unknownDataset } from './refusals.ts'
import type { Shared } from './shared.ts'
import { Timeouts } from './timeouts.ts'
import { TokenCheck } from './token-check.ts'

/**
 * `ending`: no line is taken any more, answers are still due. `ended`: this side is closed, the peer's is not. What
 * arrives in either is dropped, never acknowledged.
 */
type State = 'open' | 'ending' | 'ended' | 'gone'

/**
 * One connection: bytes in, answers out.
 *
 *     first line, where a token is needed and not there ─▶ told so, closed
 *     first line ─┬─ hello ─▶ (displace the older) ─▶ welcome ─▶ numbered: acks are seqs
 *                 └─ a message ─▶ unnumbered: acks count lines
 *     line ─┬─ wrong ─▶ kept in rejects ─▶ error line ─▶ settled
 *           ├─ a repeat ─▶ settled with its first copy
 *           └─ new ─▶ open block ─▶ durable ─▶ settled
 *
 * The usual lines are decoded where they lie, all others by the complete path. While a hello waits for the older
 * connection, or another first line for the log to take more, the socket is paused and what came with it is kept.
 */
export class Connection implements Held, LineReader {
  readonly socket: Socket
  readonly tokenCheck: TokenCheck
  readonly #shared: Shared
  readonly #left: () => void
  readonly #remote: string
  readonly #lines: LineSplitter
  #agent: string | null = null
  /** What lines that name no dataset are taken by. */
  #intake: DatasetIntake
  #decoder: LineDecoder
  #lineNumber = 0
  readonly #answers: Answers
  /** Refused lines that wait to be kept. */
  #refusals = 0
  /** Whether no line of the last chunk was refused. */
  #trusted = false
  #context: LineContext
  /** Lines that wait, behind a hello or for the log to take more; null while none do. */
  #held: RawLine[] | null = null
  #heldEnd = false
  /** What arrived and is not looked at yet, because a limit was reached. */
  #rest: Uint8Array = new Uint8Array()
  #state: State = 'open'
  #paused = false
  readonly #timeouts: Timeouts
  #cancelEnding = () => {}

  constructor(socket: Socket, shared: Shared, gone: () => void) {
    this.socket = socket
    this.#shared = shared
    this.#left = gone
    this.#lines = new LineSplitter(shared.lineBuffer)
    this.#intake = shared.intakes.get(DEFAULT_DATASET)!
    this.#decoder = shared.decoders.get(DEFAULT_DATASET)!
    this.#answers = new Answers(socket, () => this.flow())
    this.#remote = socket.remoteAddress.replace(/^::ffff:/, '')
    this.tokenCheck = new TokenCheck(shared, this.#remote, (code, reason) => this.refuse(code, reason))
    this.#context = this.#contextAt(shared.clock.nowMs())
    socket.handle({
      data: (bytes) => this.#data(bytes),
      end: () => this.#end(),
      drain: () => this.flow(),
      close: () => this.#gone(),
    })
    this.#timeouts = new Timeouts(shared, {
      waits: () => !this.#answers.areDone || this.#held !== null || this.#paused,
      unreadBytes: () => socket.pendingBytes(),
      refuse: (code, reason) => this.refuse(code, reason),
      destroy: () => this.destroy(),
    })
  }

  #data(bytes: Uint8Array): void {
    if (this.#state !== 'open' || !this.tokenCheck.areLines(bytes)) return
    this.#timeouts.heard(bytes)
    // What is read on while the limits say stop waits for them.
    if (this.#rest.length > 0) this.#rest = Buffer.concat([this.#rest, bytes])
    else {
      this.#take(bytes)
      // What it was read into is the socket's again.
      if (this.#rest.length > 0) this.#rest = new Uint8Array(this.#rest)
    }
    this.flow()
  }

  /** Takes lines from `bytes` until a limit is reached; keeps what is left. */
  #take(bytes: Uint8Array): void {
    const nowMs = this.#shared.clock.nowMs()
    this.#context = this.#contextAt(nowMs)
    const hour = Math.floor(nowMs / HOUR_MS)
    for (const intake of this.#shared.intakes.values()) intake.hour = hour
    let rest = bytes
    while (rest.length > 0 && !this.#mustStop()) {
      const size = this.#lineNumber === 0 ? lineBytes(rest) : partBytes(rest, this.#trusted)
      this.#lines.push(rest.subarray(0, size), this)
      rest = rest.subarray(size)
    }
    this.#rest = rest
    if (rest.length === 0) this.#trusted = this.#refusals === 0
  }

  #contextAt(arrivalMs: number): LineContext {
    const { oldestMs } = this.#shared
    return { arrivalMs, oldestMs, senderAddress: this.#remote, agent: this.#agent }
  }

  /** The sender closed its side in order: a last line without newline counts. */
  #end(): void {
    if (this.#state !== 'open') return
    if (this.#held !== null || this.#rest.length > 0) {
      this.#heldEnd = true
      return
    }
    const last = this.#lines.last()
    if (last !== null) this.line(last)
    if (this.#held !== null) this.#heldEnd = true
    else this.finish()
  }

  inPlace(from: number): number {
    // The first line may be a hello; of a peer that was refused nothing is taken.
    if (this.#lineNumber === 0 || this.#held !== null || this.#state !== 'open') return -1
    const end = this.#decoder.decode(from, this.#context)
    if (end < 0 || end - from > LINE_BYTES_MAX) return -1
    this.#lineNumber += 1
    this.#accept(this.#intake)
    return end
  }

  line(raw: RawLine): void {
    if (this.#state !== 'open') return
    if (this.#held !== null) {
      this.#held.push(raw)
      return
    }
    const hello = this.#lineNumber === 0 && !raw.tooLong ? parseHello(raw.bytes) : null
    const isHello = hello !== null && !('code' in hello)
    if (this.#lineNumber === 0 && !isHello && this.#shared.congested()) {
      this.#held = [raw]
      return
    }
    this.#lineNumber += 1
    if (this.#lineNumber === 1 && !this.tokenCheck.admits(hello)) return
    if (raw.tooLong) this.#refuse(raw, refusal('E_LINE_TOO_LONG', 'the line is longer than 64 KiB'))
    else if (hello === null) this.#message(raw)
    else if ('code' in hello) this.#refuse(raw, hello)
    else if (!this.#speaksOf(hello.dataset)) this.#refuse(raw, unknownDataset(hello.dataset))
    else if (hello.agent === null) this.#answers.settle(this.#answers.enter(null, null))
    else this.#hello(hello.agent, hello.lost)
  }

  /** Takes lines that name no dataset as those of `dataset`, where one is named; whether there is such a dataset. */
  #speaksOf(dataset: string | null): boolean {
    if (dataset === null) return true
    const intake = this.#shared.intakes.get(dataset)
    if (intake === undefined) return false
    this.#intake = intake
    this.#decoder = this.#shared.decoders.get(dataset)!
    return true
  }

  #message(raw: RawLine): void {
    const { counts, intakes } = this.#shared
    const decoded = decodeLine(raw.bytes, this.#context, {
      usual: this.#intake.dataset,
      named: (name) => intakes.get(name)?.dataset ?? null,
    })
    if ('code' in decoded) {
      const isHello = decoded.field !== null && parseHello(raw.bytes) !== null
      this.#refuse(raw, isHello ? refusal('E_HELLO', 'the hello must be line 1') : decoded)
      return
    }
    counts.ignoredFields += decoded.ignoredFields
    const intake = intakes.get(decoded.dataset.name)!
    let over = intake.take(decoded.message)
    if (over !== null && this.#shared.makeRoom()) over = intake.take(decoded.message)
    if (over === null) this.#accept(intake)
    else this.#refuse(raw, tooMany(over, decoded.message.seq))
  }

  /** Takes the message that is in the row of `intake`. */
  #accept({ row }: DatasetIntake): void {
    const agent = this.#agent
    const { sessions, blocks, counts } = this.#shared
    const { seq } = row
    if (agent !== null && !sessions.isNew(agent, seq)) {
      counts.repeats += 1
      if (this.#answers.extend(REPEATS, seq)) return
      const entry = this.#answers.enter(seq, REPEATS)
      sessions.repeated(agent, entry, this, (durable) => this.#settle(entry, durable))
      return
    }
    const block = blocks.add(row, agent, agent === null ? null : sessions.blockOf(agent))
    if (agent !== null) sessions.put(agent, block)
    if (this.#answers.extend(block, seq)) return
    const entry = this.#answers.enter(seq, block)
    block.settles.push((durable) => this.#stored(agent, entry, durable))
  }

  #stored(agent: string | null, entry: Entry, durable: boolean): void {
    const { sessions, counts, clock } = this.#shared
    if (durable) counts.accepted += entry.lines
    if (agent !== null) sessions.settled(agent, entry.seq, entry.lines, durable, clock.nowMs())
    this.#settle(entry, durable)
  }

  #hello(agent: string, lost: number): void {
    this.#agent = agent
    this.#held = []
    void this.#shared.sessions.take(agent, this, this.#shared.clock.nowMs()).then(({ seq, twice }) => {
      if (this.#state !== 'open') return
      this.#shared.counts.lostByAgents += lost
      this.#answers.welcome(seq)
      if (twice) this.#tell('E_AGENT_TWICE', 'two senders use this agent id and take it from each other')
      this.#release()
      this.flow()
    })
  }

  #release(): void {
    const held = this.#held!
    this.#held = null
    this.#context = this.#contextAt(this.#shared.clock.nowMs())
    for (const line of held) this.line(line)
  }

  #refuse(raw: RawLine, { code, field, reason, seq }: Refusal): void {
    const line = this.#lineNumber
    const entry = this.#answers.enter(this.#agent === null ? null : seq, null)
    this.#shared.counts.refused += 1
    this.#refusals += 1
    this.#trusted = false
    const kept = this.#shared.rejects.keep({
      timeMs: this.#shared.clock.nowMs(),
      remote: this.#remote,
      agent: this.#agent,
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
      this.#answers.settle(entry)
    })
  }

  #settle(entry: Entry, durable: boolean): void {
    if (durable) this.#answers.settle(entry)
    // It will never be acknowledged: the sender must come back with it.
    else this.destroy()
  }

  /** Resolves when everything delivered so far is durable or refused, and said so. */
  async #allSettled(): Promise<void> {
    if (!this.#answers.areDone || this.#held !== null) await this.#answers.done()
  }

  async displace(twice: boolean): Promise<void> {
    if (this.#state === 'ended' || this.#state === 'gone') return
    this.#state = 'ending'
    this.flow()
    this.#shared.blocks.flush()
    if (this.#held === null) await this.#allSettled()
    if (twice) this.#tell('E_AGENT_TWICE', 'another sender uses this agent id')
    this.hangUp()
  }

  /** Answers what was delivered, then closes this side. */
  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#shared.blocks.flush()
    void this.#allSettled().then(() => this.hangUp())
  }

  /** Tells the sender why, and closes. */
  refuse(code: ErrorCode, reason: string): void {
    this.#tell(code, reason)
    this.hangUp()
  }

  /** Closes this side once what was written is sent; the peer has `ENDING_MS_MAX` to close its own. */
  hangUp(): void {
    if (this.#state === 'ended' || this.#state === 'gone') return
    this.#state = 'ended'
    this.#answers.close()
    this.tokenCheck.close()
    this.#timeouts.stop()
    this.#cancelEnding = this.#shared.clock.after(ENDING_MS_MAX, () => this.destroy())
    this.socket.end()
    // Read on, else the end of the peer's side is never seen.
    this.socket.resume()
  }

  destroy(): void {
    if (this.#state === 'gone') return
    this.#state = 'ended'
    this.#answers.close()
    this.socket.destroy()
  }

  #tell(code: ErrorCode, message: string): void {
    this.#answers.error({ line: this.#lineNumber, code, message })
  }

  /** Whether it sends good lines, as far as is known. */
  get trusted(): boolean {
    return this.#trusted
  }

  /** Reads on or stops reading, as the limits say. */
  flow(): void {
    if (this.#state === 'ended' || this.#state === 'gone') return
    // What has arrived goes before what is still to be read.
    if (this.#held !== null && this.#lineNumber === 0 && !this.#shared.congested()) this.#release()
    if (this.#state === 'open' && this.#rest.length > 0) this.#take(this.#rest)
    if (this.#heldEnd && this.#rest.length === 0 && this.#held === null) this.#end()
    // Of who is displaced nothing is taken any more: it is read on, so that its end is seen.
    const stop = this.#state === 'open' && (this.#rest.length > 0 || this.#mustStop())
    if (stop === this.#paused) return
    this.#paused = stop
    if (stop) this.socket.pause()
    else this.socket.resume()
    if (!stop) this.#timeouts.readAgain()
  }

  #mustStop(): boolean {
    return (
      // Line 1 is always looked at: a hello frees the connection that its agent left.
      (this.#lineNumber > 0 && this.#shared.congested()) ||
      this.#held !== null ||
      this.#answers.waiting >= UNSETTLED_LINES_MAX ||
      this.#refusals >= UNSETTLED_REFUSALS_MAX ||
      this.socket.pendingBytes() > UNREAD_BYTES_MAX
    )
  }

  #gone(): void {
    this.#state = 'gone'
    this.tokenCheck.close()
    this.#timeouts.stop()
    this.#cancelEnding()
    this.#answers.gone()
    if (this.#agent !== null) this.#shared.sessions.leave(this.#agent, this, this.#shared.clock.nowMs())
    this.#left()
  }
}
