import { type Agent, startAgent } from '../../agent/agent.ts'
import { Incarnation } from '../sim/incarnation.ts'
import { Lines, REFUSED_SERVICE } from './lines.ts'
import { Sender } from './sender.ts'
import type { World } from './world.ts'

export const SERVICES = ['checkout', 'search', 'übung']
export const HOSTS = ['web-1', 'web-2', '\u{1F600}', '\uFFFD']
/** Samples of the real agents: seldom, so that an hour of simulated time stays cheap. */
const AGENT_INTERVAL_MS = 20_000

interface Host {
  agent: Agent
  life: Incarnation
  /** What its clock is ahead of the collector's. */
  skewMs: number
}

/** Everyone who sends: numbered senders, clones of them, real agents on hosts of their own, and unnumbered lines. */
export class Fleet {
  readonly senders: Sender[]
  readonly hosts: Host[] = []
  readonly lines: Lines[] = []
  /** Ids under which two senders speak. */
  readonly cloned = new Set<string>()
  /** Highest seq that the agents of hosts gone knew to be settled, by id. */
  readonly settled = new Map<string, number>()
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
          if (life.alive) world.trace.say(`host-${place} | ${line}`)
        },
      },
    )
    this.hosts[place] = { agent, life, skewMs }
  }

  #kill(place: number): void {
    const host = this.hosts[place]
    if (host === undefined) return
    const { agent, acked } = host.agent.status()
    if (host.skewMs === 0) this.settled.set(agent, acked)
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

  /** What the collector settled and the oracle does not know, in words. */
  lostMessages(): string[] {
    const { oracle } = this.#world
    const lost: string[] = []
    const need = (name: string, refused: boolean) => {
      if (!refused && !oracle.has(name) && !oracle.isExcused(name))
        lost.push(`${name} is acknowledged and lost`)
    }
    for (const { agent, acked, refused, sent } of this.senders) {
      for (let seq = 1; seq <= Math.min(acked, sent.length); seq++) need(`${agent}/${seq}`, refused.has(seq))
    }
    for (const [agent, acked] of this.settled) {
      for (let seq = 1; seq <= acked; seq++) need(`${agent}/${seq}`, false)
    }
    for (const host of this.hosts) {
      if (host === undefined || host.skewMs !== 0) continue
      const { agent, acked, lost: given } = host.agent.status()
      for (let seq = 1; given === 0 && seq <= acked; seq++) need(`${agent}/${seq}`, false)
    }
    for (const { sent, acked } of this.lines) {
      for (const host of sent.slice(0, acked)) if (host !== null) need(host, false)
    }
    return lost
  }

  /** Names that no block may hold. */
  static isRefused(service: string): boolean {
    return service === REFUSED_SERVICE
  }
}
