import { cp, mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { startUp } from '../../test/heavy/up.ts'
import { publishAll } from '../runs.ts'
import { type History, hostName, serviceName, writeHistory } from './history.ts'

/** DuckDB with as many threads as there are cores, until disposed of. */
export async function openDuckdb(): Promise<{ db: DuckDBConnection } & Disposable> {
  const instance = await DuckDBInstance.create(':memory:')
  const db = await instance.connect()
  await db.run("SET TimeZone = 'UTC'")
  return {
    db,
    [Symbol.dispose]() {
      db.closeSync()
      instance.closeSync()
    },
  }
}

/**
 * Begins a data directory: `tidemark up` makes its tables and its log, and takes and publishes one message of a history's first
 * service and minute. Copies of it can be filled with any history that starts then.
 */
export async function beginData(data: string, startMs: number): Promise<void> {
  const up = await startUp(data, ['--agent-enabled', 'false', '--speed-tick', '200ms'])
  try {
    const names = { service: serviceName(0), host: hostName(0) }
    await sendAll(up.collector.port, [{ ...names, time_stamp: startMs, cpu: 1, ram: 2, disk: 3 }])
    await publishAll(up.serving)
  } finally {
    await up.end('SIGTERM')
  }
}

/** Fills a copy of a begun data directory with a history that no run has read yet. Returns the lake's folder. */
export async function makeLake(
  db: DuckDBConnection,
  begun: string,
  data: string,
  history: History,
): Promise<string> {
  await cp(begun, data, { recursive: true })
  const lake = join(data, 'lake')
  await writeHistory(db, lake, history)
  return lake
}

/** A temporary directory with a begun data directory in it, and DuckDB, for as long as `work` takes. */
export async function withBegunData<T>(
  startMs: number,
  work: (dir: string, begun: string, db: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  using duckdb = await openDuckdb()
  try {
    const begun = join(dir, 'begun')
    await beginData(begun, startMs)
    return await work(dir, begun, duckdb.db)
  } finally {
    await rm(dir, { recursive: true })
  }
}

/** Sends messages and waits until all are acknowledged. Throws for one that is refused. */
export function sendAll(port: number, messages: readonly object[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', reject)
    let text = ''
    socket.on('data', (bytes) => {
      const lines = (text + bytes).split('\n')
      text = lines.pop()!
      for (const line of lines) {
        const { ack, error } = JSON.parse(line) as { ack?: number; error?: object }
        if (error !== undefined) reject(new Error(line))
        if (error === undefined && ack !== messages.length) continue
        socket.end()
        resolve()
      }
    })
    socket.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''))
  })
}
