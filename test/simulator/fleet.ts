import { type Agent, startAgent } from '../../agent/agent.ts'
import { Incarnation } from '../sim/incarnation.ts'
import { Lines } from './lines.ts'
import { Sender } from './sender.ts'
import type { World } from './world.ts'

export const SERVICES = ['checkout', 'search', 'übung']
export const HOSTS = ['web-1', 'web-2', '\u{1F600}', '\uFFFD']
/** Samples of the real agents: seldom, so that an hour of simulated time stays cheap. */
const AGENT_INTERVAL_MS = 20_000

/** What an agent knows to be settled, and how much of it was refused. */
interface Settled {
  readonly agent: string
  readonly acked: number
  readonly refused: number
}

interface Host {
  agent: Agent
  life: Incarnation
  /** What its clock is ahead of the collector's. */
  skewMs: number
  /** How many of its messages were refused. */
  refused: number
}

/** Everyone who sends: numbered senders, clones of them, real agents on hosts of their own, and unnumbered lines. */
export class Fleet {
  readonly senders: Sender[]
  readonly hosts: Host[] = []
  readonly lines: Lines[] = []
  /** Ids under which two senders speak. */
  readonly cloned = new Set<string>()
  /** Agents that are gone. */
  readonly #gone: Settled[] = []
  /**
   * Messages of a later time may have been refused, because the clock of the collector stepped back; a crash can take the
   * error line while a later number becomes durable.
   */
  refusableMs = Number.POSITIVE_INFINITY
  readonly #world: World
  #lineCount = 0

  constructor(world: World) {
    this.#world = world
    this.senders = [new Sender('a1'), new Sender('a2')]
  }

  /** Starts a real agent on a host; one that ran there is killed, its unsent samples with it. */
  startAgent(place: number, skewMs: number): void {
    const { world } = { world: this.#world }
    this.#kill(place)
    const life = new Incarnation()
    const clock = life.clock(world.clock)
    const agent = startAgent(
      {
        host: '127.0.0.1',
        port: 7070,
        service: SERVICES[place % SERVICES.length]!,
        hostName: `host-${place}`,
        intervalMs: AGENT_INTERVAL_MS,
      },
      {
        net: life.gate(world.net),
        clock: { nowMs: () => clock.nowMs() + skewMs, after: clock.after },
        random: world.random,
        sample: async () => [1, 2, 3].map((n) => Math.floor(world.random.float() * 4 * n) / 4),
        logLine: (line) => {
          if (!life.alive) return
          world.trace.say(`host-${place} | ${line}`)
          if (line.includes('E_TIME')) host.refused += 1
        },
      },
    )
    const host: Host = { agent, life, skewMs, refused: 0 }
    this.hosts[place] = host
  }

  #kill(place: number): void {
    const host = this.hosts[place]
    if (host === undefined) return
    this.#gone.push(settledOf(host))
    host.life.die()
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
      else {
        this.#lineCount += 1
        const service = SERVICES[Math.floor(random() * SERVICES.length)]!
        lines.good(`line-${this.#lineCount}`, service, [
          Math.floor(random() * 4),
          1,
          random() < 0.1 ? 1e15 : 0.1,
        ])
      }
    }
    return lines
  }

  /** Whether that number of any sender who uses the id was refused, or may have been. */
  #mayBeRefused(agent: string, seq: number): boolean {
    return this.senders.some(
      (one) =>
        one.agent === agent && (one.refused.has(seq) || (one.sent[seq - 1]?.timeMs ?? 0) > this.refusableMs),
    )
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
    for (const { agent, acked, refused } of [...this.#gone, ...this.hosts.filter(Boolean).map(settledOf)]) {
      const missing = []
      for (let seq = 1; seq <= acked; seq++) if (!isKept(`${agent}/${seq}`)) missing.push(`${agent}/${seq}`)
      if (missing.length > refused && this.refusableMs === Number.POSITIVE_INFINITY)
        lost.push(`${missing.join()} are acknowledged and lost, ${refused} refused`)
    }
    for (const { sent, acked } of this.lines) {
      for (const host of sent.slice(0, acked)) if (host !== null) need(host, false)
    }
    return lost
  }
}

function settledOf({ agent, refused }: Host): Settled {
  const { agent: id, acked } = agent.status()
  return { agent: id, acked, refused }
}
