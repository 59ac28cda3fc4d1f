import { type Followed, LiveFeeds, type LiveNews, type Tell } from './live-feeds.ts'
import type { Asked } from './live-worker.ts'

/**
 * The newest cells, followed once for all tabs:
 *
 *     tab ─┐
 *     tab ─┼─▶ worker ─▶ one stream a view         a tab alone, where a browser has no such worker
 *     tab ─┘
 */
interface Source {
  follow(followed: Followed): void
  leave(view: string): void
}

const tellers = new Map<string, Set<Tell>>()
const followed = new Map<string, Followed>()
let source: Source | null = null

/** Tells the newest cells of a view, at once those that are known; until the result is called. */
export function followLive(what: Followed, tell: Tell): () => void {
  source ??= startSource()
  const { view } = what
  const all = tellers.get(view) ?? new Set()
  tellers.set(view, all)
  all.add(tell)
  followed.set(view, what)
  // Also for a second one in this tab: it is told what is known.
  source.follow(what)
  return () => {
    all.delete(tell)
    if (all.size > 0) return
    followed.delete(view)
    source?.leave(view)
  }
}

function hear(news: LiveNews): void {
  for (const tell of [...(tellers.get(news.view) ?? [])]) tell(news)
}

function startSource(): Source {
  if (typeof SharedWorker === 'undefined') return ownSource()
  try {
    const worker = new SharedWorker(new URL('./live-worker.ts', import.meta.url), { type: 'module' })
    const say = (asked: Asked) => worker.port.postMessage(asked)
    worker.port.onmessage = ({ data }: MessageEvent<LiveNews>) => hear(data)
    worker.onerror = () => {
      source = ownSource()
      for (const what of followed.values()) source.follow(what)
    }
    // A tab that is put away is told nothing; one that is taken out again follows anew.
    window.addEventListener('pagehide', () => {
      for (const view of followed.keys()) say({ leave: view })
    })
    window.addEventListener('pageshow', ({ persisted }) => {
      if (persisted) for (const what of followed.values()) say({ follow: what })
    })
    return { follow: (what) => say({ follow: what }), leave: (view) => say({ leave: view }) }
  } catch {
    return ownSource()
  }
}

/** A stream for this tab alone. */
function ownSource(): Source {
  const feeds = new LiveFeeds()
  const leaving = new Map<string, () => void>()
  const leave = (view: string) => {
    leaving.get(view)?.()
    leaving.delete(view)
  }
  return {
    follow(what) {
      const before = leaving.get(what.view)
      leaving.set(
        what.view,
        feeds.follow(what, (news) => hear(news)),
      )
      before?.()
    },
    leave,
  }
}
