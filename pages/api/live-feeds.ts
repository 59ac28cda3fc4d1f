import { pathOf } from './client.ts'
import { followEvents } from './event-stream.ts'
import { type Cell, keyId } from './types.ts'

/** What is followed: a view, and the columns of its key. */
export interface Followed {
  readonly view: string
  readonly key: readonly string[]
}

/** What followers are told: cells that changed, and whether the connection is lost. */
export interface LiveNews {
  readonly view: string
  readonly cells?: readonly Cell[]
  readonly lost?: boolean
}

export type Tell = (news: LiveNews) => void

interface Feed {
  /** The newest cell of each key: what a later follower is told first. */
  readonly newest: Map<string, Cell>
  readonly followers: Set<Tell>
  lost: boolean
  stop(): void
}

/** A stream that nobody follows goes on so long: from one page to the next it is the same. */
const IDLE_MS = 5_000

/** One stream for each view, for all its followers. */
export class LiveFeeds {
  readonly #feeds = new Map<string, Feed>()

  /** Tells the newest cells, at once those that are known; until the result is called. */
  follow(followed: Followed, tell: Tell): () => void {
    const { view } = followed
    const feed = this.#feeds.get(view) ?? this.#begin(followed)
    feed.followers.add(tell)
    if (feed.newest.size > 0 || feed.lost) tell({ view, cells: [...feed.newest.values()], lost: feed.lost })
    return () => {
      feed.followers.delete(tell)
      setTimeout(() => {
        if (feed.followers.size > 0 || this.#feeds.get(view) !== feed) return
        this.#feeds.delete(view)
        feed.stop()
      }, IDLE_MS)
    }
  }

  #begin({ view, key }: Followed): Feed {
    const followers = new Set<Tell>()
    const newest = new Map<string, Cell>()
    const tellAll = (news: LiveNews) => {
      for (const tell of [...followers]) tell(news)
    }
    const stop = followEvents(pathOf('/v1/live', { view }), {
      event(name, data) {
        if (name !== 'cells') return
        const { cells } = JSON.parse(data) as { cells: Cell[] }
        for (const cell of cells) {
          const id = keyId(key.map((column) => String(cell[column])))
          if ((newest.get(id)?.time_stamp ?? '') <= cell.time_stamp) newest.set(id, cell)
        }
        tellAll({ view, cells })
      },
      lost(lost) {
        if (lost === feed.lost) return
        feed.lost = lost
        tellAll({ view, lost })
      },
    })
    const feed: Feed = { newest, followers, lost: false, stop }
    this.#feeds.set(view, feed)
    return feed
  }
}
