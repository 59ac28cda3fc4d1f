import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Peer } from './peers.ts'

const READY_MS_MAX = 20_000

/** Starts a peer's program at `path` on free ports in `dir` and waits until it answers. */
export async function startPeer(peer: Peer, path: string, dir: string) {
  const [port, otherPort] = await freePorts()
  const { args, config } = peer.start(dir, port, otherPort)
  await mkdir(dir, { recursive: true })
  if (config !== undefined) await writeFile(join(dir, 'config.toml'), config)
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let printed = ''
  child.stderr.on('data', (bytes) => {
    printed = (printed + bytes).slice(-4_096)
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const post = (request: string) => fetch(`http://127.0.0.1:${port}${request}`, { method: 'POST' })
  const untilMs = Date.now() + READY_MS_MAX
  while (!(await fetch(`http://127.0.0.1:${port}${peer.ping}`).catch(() => null))?.ok) {
    if (child.exitCode !== null || Date.now() > untilMs)
      throw new Error(`${peer.program} does not answer: ${printed}`)
    await wait(50)
  }
  for (const request of peer.prepare) await post(request)
  return {
    port,
    pid: child.pid!,
    async settle() {
      for (const request of peer.settle) await post(request)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Two ports that nobody listened on a moment ago. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return ports as [number, number]
}
