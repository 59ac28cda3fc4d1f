import { type Agent, startAgent } from '../../agent/agent.ts'
import type { Backlog } from '../../agent/backlog.ts'
import { readSpool } from '../../agent/spool/format.ts'
import { openSpool } from '../../agent/spool/spool.ts'
import { AHEAD_MS_MAX } from '../../collector/intake/limits.ts'
import { host } from '../../schemas/datasets/host.ts'
import { describeError } from '../../schemas/errors.ts'
import { SimDisk } from '../sim/disk.ts'
import { drain, Incarnation } from '../sim/incarnation.ts'
import { SpoolBook, type SpoolMemory } from './spool-book.ts'
import type { World } from './world.ts'

/** Samples of the real agents: seldom, so that an hour of simulated time stays cheap. */
const AGENT_INTERVAL_MS = 20_000
const SPOOL_DIR = '/spool'
/** Of a spool that is small: a dozen samples, which come more often. */
const SMALL_BYTES_MAX = 2_000
const SMALL_INTERVAL_MS = 4_000

/** What an agent knows to be settled, and how much of it was refused. */
export interface Settled {
  readonly agent: string
  readonly acked: number
  readonly refused: number
  readonly spooled: boolean
}

export interface AgentStart {
  /** What its clock is ahead of the collector's. */
  readonly skewMs: number
  /** Whether it keeps its samples on the host's disk. */
  readonly spooled: boolean
  /** Whether the spool has little room. */
  readonly small?: boolean
  /** How the agent before it died. */
  readonly death: 'process' | 'power'
}

/** A host with a disk of its own and, one after the other, real agents. */
export class Host {
  readonly name: string
  readonly service: string
  agent!: Agent
  life = new Incarnation()
  spooled = false
  /** Messages of all its agents that were refused. */
  refused = 0
  /** Numbers of the samples that a spool said are kept, and when. */
  readonly kept = new Map<number, number>()
  /** Samples that the collector refuses for their time. That may have been said on a connection that was cut before it was heard. */
  readonly ahead = new Set<number>()
  readonly spools: SpoolMemory = { lost: new Set(), sent: new Map() }
  /** What the agents before this one knew. */
  readonly gone: Settled[] = []
  readonly disk: SimDisk
  readonly #world: World

  constructor(world: World, place: number, service: string) {
    this.#world = world
    this.name = `host-${place}`
    this.service = service
    this.disk = new SimDisk(world.config.seed + place + 1, world.clock)
  }

  settled(): Settled {
    const { agent, acked } = this.agent.status()
    // Of a spool's messages some were refused while another agent sent them.
    return { agent, acked, refused: this.refused, spooled: this.spooled }
  }

  /** `agent/seq` of what was sent and acknowledged: a spool leaves out numbers of what it lost, or may have lost. */
  acknowledged({ agent, acked, spooled }: Settled): string[] {
    const names = Array.from({ length: acked }, (_, i) => `${agent}/${i + 1}`)
    const { sent, lost } = this.spools
    const counts = (number: number) => !lost.has(number) && !this.ahead.has(number)
    return spooled ? names.filter((name) => sent.has(name) && counts(sent.get(name)!)) : names
  }

  /** Kills the agent there is, and starts another. */
  async start({ skewMs, spooled, death, small = false }: AgentStart): Promise<void> {
    const { net, clock, random, trace, oracle } = this.#world
    if (this.agent !== undefined) this.gone.push(this.settled())
    this.life.die()
    this.disk.crash(death)
    const life = new Incarnation()
    this.life = life
    this.spooled = spooled
    const logLine = (line: string) => {
      if (!life.alive) return
      trace.say(`${this.name} | ${line}`)
      if (line.includes('E_TIME')) this.refused += 1
    }
    const disk = life.gate(this.disk, { wraps: ['open'] })
    const open = () =>
      openSpool(
        { dir: SPOOL_DIR, dataset: host, ...(small && { bytesMax: SMALL_BYTES_MAX }) },
        { disk, random, logLine },
      )
    const again = (error: unknown) => {
      trace.say(`${this.name} | does not start: ${describeError(error)}; its disk is mended`)
      this.mend()
      return open()
    }
    const backlog = spooled ? this.#watched(await open().catch(again)) : null
    const lifeClock = life.clock(clock)
    this.agent = startAgent(
      {
        host: '127.0.0.1',
        port: 7070,
        service: this.service,
        hostName: this.name,
        intervalMs: small ? SMALL_INTERVAL_MS : AGENT_INTERVAL_MS,
      },
      {
        net: life.gate(net),
        clock: { nowMs: () => lifeClock.nowMs() + skewMs, after: lifeClock.after },
        random,
        ...(backlog && { backlog }),
        // The last gauge is the sample's own number.
        sample: async () => {
          const number = oracle.nextSample()
          if (skewMs > AHEAD_MS_MAX) this.ahead.add(number)
          return [Math.floor(random.float() * 4), 1 / 8, number]
        },
        logLine,
      },
    )
    await drain()
  }

  /** Its disk fails no more, and has room. */
  mend(): void {
    this.disk.fault = null
    this.disk.capacityBytes = Number.POSITIVE_INFINITY
  }

  /** The spool, with a note of what it said is kept. */
  #watched(spool: Backlog): Backlog {
    const held = this.disk
      .paths()
      .filter((path) => path.endsWith('.spool'))
      .map((path) => readSpool(this.disk.bytesOf(path)))
    const broken = (error: Error) => {
      this.#world.broken ??= error
    }
    const book = new SpoolBook(spool, held, { memory: this.spools, broken })
    return book.watched((number) => this.kept.set(number, this.#world.clock.passedMs))
  }
}
