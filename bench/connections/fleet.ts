import { setTimeout as wait } from 'node:timers/promises'
import { type Percentiles, percentiles } from '../measure.ts'
import { Agent } from './agent.ts'
import { Messages } from './messages.ts'

/** A fleet of agents in a process of its own. It does one phase after the other, each when its parent says so. */
export interface FleetOptions {
  readonly port: number
  readonly acks: 'messages' | 'bytes'
  readonly agents: number
  /** For how long each sends a message a second. */
  readonly seconds: number
  /** Messages of each when all come back. */
  readonly spooled: number
}

export interface Phases {
  /** All connect at once; until all are welcome. */
  connect(): Promise<{ readonly ms: number; readonly retries: number }>
  /** Each sends its message a second, in turn. */
  pace(): Promise<{ readonly latencyMs: Percentiles; readonly acknowledged: number }>
  /** All are cut at once and connect at once, each with a spool; until everything is acknowledged. */
  storm(): Promise<Storm>
}

export interface Storm {
  readonly welcomedMs: number
  readonly caughtUpMs: number
  /** Until the agents caught up, one by one. */
  readonly eachMs: Percentiles
  readonly messages: number
  readonly retries: number
}

/** Pauses between the messages of a second. */
const PACE_MS = 10
/** Longest wait for the last acknowledgements of a pace. */
const SETTLED_MS_MAX = 10_000
/** Longest wait for all to be welcome, and for all to have caught up. */
const ALL_MS_MAX = 900_000

export function makeFleet(options: FleetOptions): Phases {
  const { agents: size, seconds, spooled } = options
  // The newest message is of now, when the last agent has caught up.
  const count = seconds + spooled
  const messages = new Messages(Date.now() - count * 1_000, count)
  let latencies: number[] = []
  let caughtUpMs: number[] = []
  let welcomes = 0
  let retries = 0
  let whenWelcomed = () => {}
  let whenCaughtUp = () => {}
  const watcher = {
    welcomed() {
      welcomes += 1
      if (welcomes === size) whenWelcomed()
    },
    caughtUp() {
      caughtUpMs.push(performance.now())
      if (caughtUpMs.length === size) whenCaughtUp()
    },
    acknowledged: (ms: number) => void latencies.push(ms),
    lost() {
      retries += 1
    },
  }
  const agents = Array.from({ length: size }, (_, number) => new Agent(number, options, messages, watcher))
  const acknowledged = () => agents.reduce((sum, { acked }) => sum + acked, 0)

  /** Milliseconds until all are welcome. */
  async function connectAll(): Promise<number> {
    const beforeMs = performance.now()
    welcomes = 0
    retries = 0
    const welcomed = new Promise<void>((resolve) => {
      whenWelcomed = resolve
    })
    for (const agent of agents) agent.connect()
    await inTime(welcomed, () => `${welcomes} of ${size} agents are welcome`)
    return performance.now() - beforeMs
  }

  return {
    async connect() {
      return { ms: await connectAll(), retries }
    },
    async pace() {
      latencies = []
      const startedMs = performance.now()
      let made = 0
      while (made < size * seconds) {
        const due = Math.min(size * seconds, (size * (performance.now() - startedMs)) / 1_000)
        for (; made < due; made++) agents[made % size]!.make()
        await wait(PACE_MS)
      }
      const untilMs = performance.now() + SETTLED_MS_MAX
      while (acknowledged() < made && performance.now() < untilMs) await wait(PACE_MS)
      return { latencyMs: percentiles(latencies), acknowledged: acknowledged() }
    },
    async storm() {
      const before = acknowledged()
      const beforeMs = performance.now()
      caughtUpMs = []
      const caughtUp = new Promise<void>((resolve) => {
        whenCaughtUp = resolve
      })
      for (const agent of agents) {
        agent.cut()
        agent.spool(spooled)
      }
      const welcomedMs = await connectAll()
      await inTime(caughtUp, () => `${caughtUpMs.length} of ${size} agents have caught up`)
      return {
        welcomedMs,
        caughtUpMs: performance.now() - beforeMs,
        eachMs: percentiles(caughtUpMs.map((ms) => ms - beforeMs)),
        messages: acknowledged() - before,
        retries,
      }
    },
  }
}

/** Throws when it takes too long, and says how far it came. */
async function inTime(all: Promise<void>, soFar: () => string): Promise<void> {
  const enough = new AbortController()
  const late = wait(ALL_MS_MAX, null, { signal: enough.signal }).then(() => {
    throw new Error(`after ${ALL_MS_MAX / 1_000} s ${soFar()}`)
  })
  await Promise.race([all, late])
  enough.abort()
}
