import { hostMessage } from '../sim/messages.ts'
import { Crowd } from './crowd.ts'
import { type AgentStart, Host } from './host.ts'
import { SENDER_ADDRESS, shapedLine } from './line-shapes.ts'
import { Lines } from './lines.ts'
import { Sender } from './sender.ts'
import type { World } from './world.ts'

export const SERVICES = ['checkout', 'search', 'übung']
/** Where both happens, of which services messages expire and of which they are erased. */
export const PARTED = { expire: SERVICES.slice(0, 2), erase: SERVICES.slice(2) } as const
export const HOSTS = ['web-1', SENDER_ADDRESS, '\u{1F600}', '\uFFFD']
/** A sample younger than this may still be on its way. */
const ON_THE_WAY_MS = 5_000

/** Everyone who sends: numbered senders, clones of them, real agents on hosts of their own, and unnumbered lines. */
export class Fleet {
  readonly senders: Sender[]
  readonly hosts: Host[] = []
  readonly lines: Lines[] = []
  readonly crowd: Crowd
  /** Ids under which two senders speak. */
  readonly cloned = new Set<string>()
  /**
   * Messages of a later time may have been refused, because the clock of the collector stepped back; a crash can take the
   * error line while a later number becomes durable.
   */
  refusableMs = Number.POSITIVE_INFINITY
  readonly #world: World
  #lineCount = 0

  constructor(world: World) {
    this.#world = world
    this.crowd = new Crowd(world.net)
    this.senders = [new Sender('a1'), new Sender('a2')]
  }

  /** Starts a real agent on a host, in the place of the one that ran there. */
  async startAgent(place: number, start: AgentStart): Promise<void> {
    this.hosts[place] ??= new Host(this.#world, place, SERVICES[place % SERVICES.length]!)
    await this.hosts[place].start(start)
  }

  /** A second sender with the id of the first, and other messages under the same numbers. */
  clone(place: number): Sender {
    const { agent } = this.senders[place]!
    const clone = new Sender(agent)
    this.cloned.add(agent)
    this.senders.push(clone)
    return clone
  }

  /** Sends unnumbered lines on a connection of their own, `bad` of them wrong. */
  async sendLines(random: () => number, count: number): Promise<Lines | null> {
    const lines = await Lines.connect(this.#world.net)
    if (lines === null) return null
    this.lines.push(lines)
    for (let i = 0; i < count; i++) {
      if (random() < 0.3) lines.bad(random())
      else this.#sendGood(lines, random)
    }
    return lines
  }

  #sendGood(lines: Lines, random: () => number): void {
    this.#lineCount += 1
    const host = `line-${this.#lineCount}`
    const service = SERVICES[Math.floor(random() * SERVICES.length)]!
    const gauges = [Math.floor(random() * 4), 1, random() < 0.1 ? 1e15 : random()]
    if (random() < 0.5) {
      const [cpu, ram, disk] = gauges
      lines.good(host, JSON.stringify({ service, host, cpu, ram, disk }))
      return
    }
    const message = hostMessage({ service, host, timeMs: this.#world.clock.nowMs(), gauges })
    this.#world.oracle.noteSent(message)
    lines.good(host, shapedLine(message, random))
  }

  #machines(): Host[] {
    return this.hosts.filter((host) => host !== undefined)
  }

  /** Samples that a spool kept, did not count as lost, and that are not in the log, in words. */
  missingSamples(): string[] {
    return this.#machines().flatMap(({ name, kept, spools, refused, ahead }) => {
      const { oracle, clock } = this.#world
      const missing = [...kept]
        .filter(([number]) => !oracle.hasSample(number) && !spools.lost.has(number) && !ahead.has(number))
        .filter(([, atMs]) => clock.passedMs - atMs > ON_THE_WAY_MS)
        .map(([number]) => number)
      return missing.length > refused
        ? [`samples ${missing.join()} were in the spool of ${name} and are lost, ${refused} refused`]
        : []
    })
  }

  /** Whether that number of any sender who uses the id was refused, or may have been. */
  #mayBeRefused(agent: string, seq: number): boolean {
    return this.senders.some(
      (one) =>
        one.agent === agent &&
        (one.bad.has(seq) || one.refused.has(seq) || (one.sent[seq - 1]?.timeMs ?? 0) > this.refusableMs),
    )
  }

  /** Refusals that somebody was told. */
  errorsTold(): number {
    const told = [...this.lines, ...this.senders, ...this.crowd.floods].map(({ errors }) => errors)
    return told.reduce((sum, errors) => sum + errors, 0)
  }

  /** What the collector settled and the oracle does not know, in words. */
  lostMessages(): string[] {
    const { oracle } = this.#world
    const lost: string[] = []
    const isKept = (name: string) => oracle.has(name) || oracle.isExcused(name)
    const need = (name: string, refused: boolean) => {
      if (!refused && !isKept(name)) lost.push(`${name} is acknowledged and lost`)
    }
    for (const { agent, acked, sent } of this.senders) {
      for (let seq = 1; seq <= Math.min(acked, sent.length); seq++)
        need(`${agent}/${seq}`, this.#mayBeRefused(agent, seq))
    }
    for (const host of this.#machines()) {
      for (const settled of [...host.gone, host.settled()]) {
        const missing = host.acknowledged(settled).filter((name) => !isKept(name))
        if (missing.length > settled.refused && this.refusableMs === Number.POSITIVE_INFINITY)
          lost.push(`${missing.join()} are acknowledged and lost, ${settled.refused} refused`)
      }
    }
    for (const { sent, acked } of this.lines) {
      const mayBeRefused = this.refusableMs < Number.POSITIVE_INFINITY
      for (const host of sent.slice(0, acked)) if (host !== null) need(host, mayBeRefused)
    }
    return lost
  }
}
