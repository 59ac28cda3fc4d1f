import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const BINARY = fileURLToPath(new URL('../../.cache/bin/versitygw', import.meta.url))

/** Whether versitygw, an S3 server, is installed. */
export const hasBucketServer = existsSync(BINARY)

export const KEY = 'testkey'
export const SECRET = 'testsecret'

/** A versitygw with the bucket `tide`, on a port that stays the same however often it dies. */
export interface BucketServer {
  readonly url: string
  kill(): Promise<void>
  start(): Promise<void>
}

export async function bucketServer(dir: string): Promise<BucketServer> {
  await mkdir(join(dir, 'tide'), { recursive: true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let kill = async () => {}
  const start = async () => {
    const child = spawn(BINARY, ['--port', `127.0.0.1:${port}`, 'posix', dir], {
      env: { ...process.env, ROOT_ACCESS_KEY: KEY, ROOT_SECRET_KEY: SECRET },
      stdio: 'ignore',
    })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    kill = async () => {
      child.kill('SIGKILL')
      await ended
    }
    while (!(await fetch(url).catch(() => null))) await wait(50)
  }
  await start()
  return { url, start, kill: () => kill() }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}
