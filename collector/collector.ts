import type { Access } from '../schemas/ports/access.ts'
import type { Net } from '../schemas/ports/net.ts'
import type { SeenAgent, SeenRefusal } from '../schemas/ports/senders.ts'
import { Intake, type IntakeConfig, type IntakeDeps, type IntakeStatus } from './intake/intake.ts'
import { type KnownNames, learnNames } from './intake/known-names.ts'
import { type LineConfig, listenForLines } from './ndjson/listener.ts'

export interface CollectorConfig extends Partial<IntakeConfig>, Partial<LineConfig> {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

export interface CollectorDeps extends IntakeDeps {
  readonly net: Net
  /** Decides which senders may send; absent: any may. */
  readonly access?: Access
  /**
   * The names of messages accepted before this start: those in the lake, and those in the log that are not there yet. They
   * count towards the limits first. Absent: none.
   */
  readonly knownNames?: () => Promise<readonly KnownNames[]>
}

export interface Collector {
  readonly host: string
  readonly port: number
  status(): CollectorStatus
  /** The agents that were seen, those that came last at the end. */
  agents(): readonly SeenAgent[]
  /** What was refused lately, the newest first. */
  refusals(): readonly SeenRefusal[]
  /** Forgets the kept refused lines that mention all of `words`; how many. Throws `E_DISK`. */
  forgetRejects(words: readonly string[]): Promise<number>
  /** Stops accepting, makes what was delivered durable and acknowledges it, closes every connection. */
  close(): Promise<void>
}

export type CollectorStatus = IntakeStatus

const DEFAULTS = {
  blockMessages: 50,
  lingerMs: 250,
  oldestMs: Date.UTC(2000, 0, 1),
  connectionsMax: 10_000,
  idleMs: 15 * 60_000,
  servicesMax: 10_000,
  hostsMax: 100_000,
  unsealedBytesMax: 8 * 2 ** 30,
}

/**
 * Starts the collector: accepts senders, checks what they send, gathers it into blocks, appends those to the log and
 * acknowledges what is durable. Each protocol is a folder beside `ndjson/`, and hands in to the same intake. Throws
 * `E_LISTEN`.
 */
export async function startCollector(config: CollectorConfig, deps: CollectorDeps): Promise<Collector> {
  const settings = { ...DEFAULTS, ...config }
  const { net, clock, access = null } = deps
  const intake = new Intake(settings, deps)
  const stopChecking = access?.onChange(() => {
    for (const { link } of intake.connected) link.checkAccess()
  })
  const closeIntake = async () => {
    await intake.close()
    stopChecking?.()
  }
  try {
    if (deps.knownNames !== undefined) await learnNames(deps.knownNames(), intake.datasets, deps)
    const listener = await listenForLines(settings, { intake, net, clock, access })
    return {
      host: listener.host,
      port: listener.port,
      status: () => intake.status(),
      agents: () => intake.agents(),
      refusals: () => intake.refusals(),
      forgetRejects: (words) => intake.forgetRejects(words),
      async close() {
        await listener.close()
        await closeIntake()
      },
    }
  } catch (error) {
    await closeIntake()
    throw error
  }
}
