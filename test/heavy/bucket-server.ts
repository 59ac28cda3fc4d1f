import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { AwsClient } from 'aws4fetch'

const VERSITYGW = fileURLToPath(new URL('../../.cache/bin/versitygw', import.meta.url))

/** A program of MinIO, where the tests are to ask it instead of versitygw. */
const MINIO = process.env.TIDEMARK_TEST_MINIO

/** Whether versitygw, an S3 server, is installed, or another is named. */
export const hasBucketServer = existsSync(MINIO ?? VERSITYGW)

export const KEY = 'testkey'
export const SECRET = 'testsecret'

/** An S3 server with the bucket `tide`, on a port that stays the same however often it dies; with TLS by `tls`, files in PEM. */
export interface BucketServer {
  readonly url: string
  kill(): Promise<void>
  start(): Promise<void>
}

export async function bucketServer(
  dir: string,
  tls?: { readonly cert: string; readonly key: string },
): Promise<BucketServer> {
  await mkdir(join(dir, 'tide'), { recursive: true })
  const port = await freePort()
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
  let kill = async () => {}
  const start = async () => {
    const child = MINIO === undefined || tls ? versitygw(port, dir, tls) : minio(MINIO, port, dir)
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    kill = async () => {
      child.kill('SIGKILL')
      await ended
    }
    while (!(await (tls ? listens(port) : fetch(url).catch(() => null)))) await wait(50)
  }
  await start()
  // MinIO has no bucket by a folder alone until it has made it.
  if (MINIO !== undefined) await makeBucket(url)
  return { url, start, kill: () => kill() }
}

function versitygw(
  port: number,
  dir: string,
  tls?: { readonly cert: string; readonly key: string },
): ChildProcess {
  const certificate = tls ? ['--cert', tls.cert, '--key', tls.key] : []
  return spawn(VERSITYGW, ['--port', `127.0.0.1:${port}`, ...certificate, 'posix', dir], {
    env: { ...process.env, ROOT_ACCESS_KEY: KEY, ROOT_SECRET_KEY: SECRET },
    stdio: 'ignore',
  })
}

function minio(program: string, port: number, dir: string): ChildProcess {
  const env = { MINIO_ROOT_USER: KEY, MINIO_ROOT_PASSWORD: SECRET, MINIO_BROWSER: 'off' }
  return spawn(program, ['server', '--quiet', '--address', `127.0.0.1:${port}`, dir], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
}

async function makeBucket(url: string): Promise<void> {
  const client = new AwsClient({
    accessKeyId: KEY,
    secretAccessKey: SECRET,
    region: 'us-east-1',
    service: 's3',
  })
  const { status } = await client.fetch(`${url}/tide`, { method: 'PUT' })
  if (status !== 200 && status !== 409) throw new Error(`the bucket cannot be made: ${status}`)
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}
