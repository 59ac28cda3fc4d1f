import { connect } from 'node:net'

/**
 * The followers of the benchmark, a process of their own: so many connections that read events, and tell of each service of a probe
 * when each of them had it. HTTP by hand, since a client library would cost as much as the events.
 */
export interface FollowersOptions {
  readonly port: number
  readonly path: string
  readonly followers: number
  /** What a probe's service begins with. */
  readonly probe: string
}

/** Sent once all of them have the first event. */
export interface Following {
  readonly following: number
}

/** Sent once all of them had the probe. */
export interface Seen {
  readonly probe: string
  /** When each had it, milliseconds since 1970, ascending. */
  readonly seenMs: readonly number[]
}

function follow({ port, path, followers, probe }: FollowersOptions): void {
  const seen = new Map<string, number[]>()
  const name = new RegExp(`${probe}\\d+"`, 'g')
  let following = 0
  for (let n = 0; n < followers; n++) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    let rest = ''
    let begun = false
    const had = new Set<string>()
    socket.on('error', (error) => {
      console.error(error)
      process.exit(1)
    })
    socket.on('data', (bytes: Buffer) => {
      // A name may lie in two pieces.
      const text = rest + bytes.toString('latin1')
      rest = text.slice(-64)
      if (!begun && text.includes('\n\n')) {
        begun = true
        following += 1
        if (following === followers) process.send!({ following } satisfies Following)
      }
      for (const [found] of text.matchAll(name)) {
        if (had.has(found)) continue
        had.add(found)
        const times = seen.get(found) ?? []
        seen.set(found, times)
        times.push(Date.now())
        if (times.length === followers)
          process.send!({ probe: found.slice(0, -1), seenMs: times } satisfies Seen)
      }
    })
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  }
}

process.on('message', (options: FollowersOptions) => follow(options))
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
