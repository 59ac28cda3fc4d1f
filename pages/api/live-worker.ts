import { type Followed, LiveFeeds } from './live-feeds.ts'

/** What a tab says to the worker. */
export type Asked = { readonly follow: Followed } | { readonly leave: string }

/** Follows the newest cells once for all tabs of a browser (shared-live.ts). */
const feeds = new LiveFeeds()

;(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = ({ ports }) => {
  const port = ports[0]!
  const leaving = new Map<string, () => void>()
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    const view = 'follow' in data ? data.follow.view : data.leave
    const leave = leaving.get(view)
    leaving.delete(view)
    if ('follow' in data)
      leaving.set(
        view,
        feeds.follow(data.follow, (news) => port.postMessage(news)),
      )
    leave?.()
  }
}
