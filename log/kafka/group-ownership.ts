import { describeError } from '../../schemas/errors.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { Ownership } from '../ownership.ts'
import type { KafkaClient } from './client.ts'

export interface GroupDeps {
  readonly client: Pick<KafkaClient, 'join'>
  readonly clock: Clock
  logLine(line: string): void
}

/** Time between two tries to become a member. */
const REJOIN_MS = 2_000

/**
 * The partitions that a consumer group hands this worker. Nothing is fetched or committed through the group:
 *
 *     join ──▶ assigned [0, 2] ──▶ assigned [0] ──▶ … ──▶ lost ──▶ join again
 *
 * While it is no member, or the group hands out anew, the worker keeps what it had: reading a partition that another reads
 * too costs work and changes nothing, for the commit's compare-and-set lets one of them through.
 */
export class GroupOwnership implements Ownership {
  readonly #group: string
  readonly #deps: GroupDeps
  readonly #closing = new AbortController()
  readonly #listeners = new Set<() => void>()
  readonly #ended: Promise<void>
  #owned: readonly number[] = []
  #failing: string | null = null

  /** Joins by itself, and again whenever it must. */
  constructor(group: string, deps: GroupDeps) {
    this.#group = group
    this.#deps = deps
    this.#ended = this.#keepJoined()
  }

  owned(): readonly number[] {
    return this.#owned
  }

  /** Why it is no member of the group; null while it is one, or becomes one for the first time. */
  get failing(): string | null {
    return this.#failing
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => void this.#listeners.delete(fn)
  }

  async #keepJoined(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const reason = await this.#beMember()
      if (signal.aborted) return
      if (this.#failing === null)
        this.#deps.logLine(`log: no member of group ${this.#group} (${reason}); joining again`)
      this.#failing = reason
      await sleep(this.#deps.clock, REJOIN_MS, signal)
    }
  }

  /** Resolves when it is no member any more, with the reason. */
  async #beMember(): Promise<string> {
    const { promise: over, resolve: end } = Promise.withResolvers<string>()
    this.#closing.signal.addEventListener('abort', () => end('closed'), { once: true })
    let isOver = false
    const joining = this.#deps.client.join(this.#group, {
      assigned: (partitions) => {
        if (!isOver) this.#assign(partitions)
      },
      lost: end,
    })
    const left = joining.then(
      async ({ leave }) => {
        await over
        await leave().catch(() => {})
      },
      (error: unknown) => end(describeError(error)),
    )
    const reason = await over
    isOver = true
    // A join that gets no answer is not waited for.
    await Promise.race([left, sleep(this.#deps.clock, REJOIN_MS)])
    return reason
  }

  #assign(partitions: readonly number[]): void {
    if (this.#failing !== null) this.#deps.logLine(`log: a member of group ${this.#group} again`)
    this.#failing = null
    if (partitions.join() === this.#owned.join()) return
    this.#owned = partitions
    this.#deps.logLine(`log: partitions of this process: ${partitions.join(', ') || 'none'}`)
    for (const fn of [...this.#listeners]) fn()
  }

  /** Leaves the group, so that others get its partitions at once. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ended
  }
}
