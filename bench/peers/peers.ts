import { join } from 'node:path'

import type { Versioned } from './version.ts'

/** A database that takes line protocol over HTTP. */
export interface Peer extends Versioned {
  readonly name: string
  /** Debian's package, and the program in it; another one may stand before it on PATH. */
  readonly package: string
  readonly program: string
  /** What an acknowledged write has come to. */
  readonly ack: string
  /** The fastest of 1,000, 2,000, 5,000 and 10,000. */
  readonly linesPerRequest: number
  /** How it is started on free ports in a directory of its own; `config` is written to `config.toml` there. */
  start(dir: string, port: number, otherPort: number): { readonly args: string[]; readonly config?: string }
  /** Answers when it is up. */
  readonly ping: string
  /** Requests before the first write. */
  readonly prepare: readonly string[]
  readonly write: string
  /** Requests that bring what is in memory to disk, and merge it. */
  readonly settle: readonly string[]
}

export const PEERS: readonly Peer[] = [
  {
    name: 'VictoriaMetrics',
    package: 'victoria-metrics',
    program: 'victoria-metrics',
    versionArgs: ['-version'],
    module: 'github.com/VictoriaMetrics/VictoriaMetrics',
    ack: 'in memory; on disk some seconds later, no sync for the write',
    linesPerRequest: 5_000,
    start: (dir, port) => ({
      args: [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${join(dir, 'data')}`],
    }),
    ping: '/health',
    prepare: [],
    write: '/write',
    settle: ['/internal/force_flush', '/internal/force_merge'],
  },
  {
    name: 'InfluxDB',
    package: 'influxdb',
    program: 'influxd',
    versionArgs: ['version'],
    module: 'github.com/influxdata/influxdb',
    ack: 'fsync of its log for each write (wal-fsync-delay = "0s", the default)',
    linesPerRequest: 5_000,
    start: (dir, port, otherPort) => ({
      args: ['-config', join(dir, 'config.toml')],
      config: `reporting-disabled = true
bind-address = "127.0.0.1:${otherPort}"
[meta]
  dir = "${join(dir, 'meta')}"
[data]
  dir = "${join(dir, 'data')}"
  wal-dir = "${join(dir, 'wal')}"
  # Not the default of 10m, so that the last writes leave the log while the benchmark waits for them.
  cache-snapshot-write-cold-duration = "5s"
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[ifql]
  enabled = false
[monitor]
  store-enabled = false
`,
    }),
    ping: '/ping',
    prepare: ['/query?q=CREATE%20DATABASE%20bench'],
    write: '/write?db=bench',
    settle: [],
  },
]
