import type { Clock, Random } from '../../schemas/ports/clock.ts'
import { Feed, type FeedDeps, type LiveCell } from './feed.ts'

/**
 * Followers of newest cells, as server-sent events. A follower is a generator that is asked for its next event when its
 * connection takes more. While it is not asked nothing is kept for it but the number of the look that it has: what changed
 * in between comes in one, each cell as it is by then.
 */
export interface Wanted {
  readonly view: string
  /** Says which keys, the same text for the same ones: events are written once for all followers that want the same. */
  readonly filter: string
  wants(key: string): boolean
  /** The id of the last event that a follower has which comes back; null of a new one. */
  readonly lastId: string | null
}

/** Followers at once. */
export const FOLLOWERS_MAX = 1_000
/** Cells of one event. */
const EVENT_CELLS_MAX = 200
/** Events that are kept for others that want the same. */
const SHARED_MAX = 256
/** A feed that nobody follows goes on so long, for followers that come back. */
const IDLE_MS = 60_000
/** A follower that takes nothing for so long is let go; it may come back with the id that it has. */
const STALLED_MS = 60_000
const STALLED_LOOK_MS = 15_000
/** A follower comes anew after this time, so that its token is looked at again. */
const FOLLOWED_MS_MAX = 15 * 60_000
/** At the end followers that take nothing are waited for so long. */
const CLOSE_MS_MAX = 500
/** Without a word for so long a follower, or what lies between, might take the connection for broken. */
const SILENT_MS_MAX = 10_000
/** What a follower waits before it comes back. */
const RETRY_MS = 1_000

interface Follower {
  /** Since when an event waits to be taken; null while there is none. */
  waitingSinceMs: number | null
  drop(): void
}

interface Followed {
  readonly feed: Feed
  /** Part of the ids of its events: those of another are none of this. */
  readonly epoch: string
  readonly started: Promise<void>
  followers: number
  cancelIdle(): void
  /** Events by filter and the look behind which they begin, of the last look. */
  readonly shared: Map<string, readonly string[]>
  sharedLook: number
}

export interface FollowersDeps extends Omit<FeedDeps, 'write'> {
  write: FeedDeps['write']
  readonly clock: Clock
  readonly random: Random
  /** What an event says beside its cells, as JSON members. */
  about(view: string): string
}

export class Followers {
  readonly #deps: FollowersDeps
  readonly #feeds = new Map<string, Followed>()
  readonly #followers = new Set<Follower>()
  #closed = false
  #cancelLook = () => {}

  constructor(deps: FollowersDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#followers.size
  }

  get isFull(): boolean {
    return this.#followers.size >= FOLLOWERS_MAX
  }

  /** The events of one follower, until `signal` aborts, its time is over or this is closed. `drop` breaks its connection. */
  async *follow(wanted: Wanted, signal: AbortSignal, drop: () => void): AsyncGenerator<string> {
    const { clock } = this.#deps
    const follower: Follower = { waitingSinceMs: null, drop }
    this.#followers.add(follower)
    if (this.#followers.size === 1) this.#lookForStalled()
    const followed = this.#feedOf(wanted.view)
    followed.followers += 1
    followed.cancelIdle()
    const untilMs = clock.nowMs() + FOLLOWED_MS_MAX
    const take = (event: string): string => {
      follower.waitingSinceMs = clock.nowMs()
      return event
    }
    try {
      await followed.started
      const { feed, epoch } = followed
      let after = lookOf(wanted.lastId, followed)
      yield take(begin(feed))
      follower.waitingSinceMs = null
      let toldMs = clock.nowMs()
      while (!signal.aborted && !this.#closed && clock.nowMs() < untilMs) {
        const events = this.#eventsAfter(after, wanted, followed)
        after = feed.look
        for (const event of events) {
          yield take(event)
          follower.waitingSinceMs = null
          toldMs = clock.nowMs()
        }
        if (events.length > 0) continue
        if (Math.abs(clock.nowMs() - toldMs) >= SILENT_MS_MAX) {
          yield take(`id: ${epoch}-${after}\n: nothing new\n\n`)
          follower.waitingSinceMs = null
          toldMs = clock.nowMs()
          continue
        }
        await feed.next(signal)
      }
      if (!signal.aborted) yield 'event: end\ndata: {}\n\n'
    } finally {
      this.#followers.delete(follower)
      if (this.#followers.size === 0) this.#cancelLook()
      followed.followers -= 1
      if (followed.followers === 0) this.#leave(wanted.view, followed)
    }
  }

  #feedOf(view: string): Followed {
    const known = this.#feeds.get(view)
    if (known !== undefined) return known
    const { answers, random } = this.#deps
    const feed = new Feed(answers.views().find((one) => one.view.name === view)!.view, this.#deps)
    const followed: Followed = {
      feed,
      epoch: random.hex(4),
      started: feed.start(),
      followers: 0,
      cancelIdle: () => {},
      shared: new Map(),
      sharedLook: 0,
    }
    this.#feeds.set(view, followed)
    return followed
  }

  #leave(view: string, followed: Followed): void {
    if (this.#closed) return
    followed.cancelIdle = this.#deps.clock.after(IDLE_MS, () => {
      this.#feeds.delete(view)
      void followed.feed.stop()
    })
  }

  #eventsAfter(after: number, { filter, wants, view }: Wanted, followed: Followed): readonly string[] {
    const { feed, epoch, shared } = followed
    if (after >= feed.look) return []
    if (followed.sharedLook !== feed.look) shared.clear()
    followed.sharedLook = feed.look
    const name = `${after} ${filter}`
    const known = shared.get(name)
    if (known !== undefined) return known
    const cells = [...feed.since(after)].filter(({ key }) => wants(key))
    const about = `${this.#deps.about(view)},"left_out":${feed.leftOut}`
    const events = eventsOf(cells, `${epoch}-${feed.look}`, about)
    if (shared.size < SHARED_MAX) shared.set(name, events)
    return events
  }

  #lookForStalled(): void {
    const { clock } = this.#deps
    this.#cancelLook = clock.after(STALLED_LOOK_MS, () => {
      this.#lookForStalled()
      const nowMs = clock.nowMs()
      for (const { waitingSinceMs, drop } of [...this.#followers])
        if (waitingSinceMs !== null && nowMs - waitingSinceMs > STALLED_MS) drop()
    })
  }

  /** Ends every follower's events. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { cancelIdle } of this.#feeds.values()) cancelIdle()
    const stopped = Promise.all(Array.from(this.#feeds.values(), ({ feed }) => feed.stop()))
    const cancel = this.#deps.clock.after(CLOSE_MS_MAX, () => {
      for (const { drop } of [...this.#followers]) drop()
    })
    await stopped
    if (this.#followers.size === 0) cancel()
  }
}

/** The look that a follower has which comes back with an id; 0, before all of them, when it is none of this feed. */
function lookOf(id: string | null, { epoch, feed }: Followed): number {
  const [, of, look] = /^(.+)-(\d{1,15})$/.exec(id ?? '') ?? []
  return of === epoch && Number(look) <= feed.look ? Number(look) : 0
}

function begin({ view, windowMs }: Feed): string {
  const data = JSON.stringify({ view: view.name, bucket_ms: view.bucketMs, window_ms: windowMs })
  return `retry: ${RETRY_MS}\nevent: begin\ndata: ${data}\n\n`
}

/** Events of so many cells that none is long; only the last has the id, so that a follower that has not all of them gets all again. */
function eventsOf(cells: readonly LiveCell[], id: string, about: string): string[] {
  const events: string[] = []
  for (let at = 0; at < cells.length; at += EVENT_CELLS_MAX) {
    const texts = cells.slice(at, at + EVENT_CELLS_MAX).map(({ text }) => text)
    const isLast = at + EVENT_CELLS_MAX >= cells.length
    const data = `{"cells":[${texts.join(',')}],${about}}`
    events.push(`${isLast ? `id: ${id}\n` : ''}event: cells\ndata: ${data}\n\n`)
  }
  return events
}
