import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startUp } from './up.ts'
import { until } from './watch.ts'

const HALF = [
  'POST /v1/runs HTTP/1.1',
  'Host: 127.0.0.1',
  'Content-Type: application/json',
  'Content-Length: 100',
  '',
  '{',
].join('\r\n')

test('requests that never end are closed, and connections above the maximum at once', async () => {
  const data = await mkdtemp(join(tmpdir(), 'tidemark-half-'))
  const up = await startUp(data, ['--agent-enabled', 'false'])
  const sockets: net.Socket[] = []
  let closed = 0
  try {
    for (let i = 0; i < 2_200; i++) {
      const socket = net.connect(Number(new URL(up.serving).port), '127.0.0.1', () => socket.write(HALF))
      socket.on('error', () => {})
      socket.on('close', () => {
        closed += 1
      })
      sockets.push(socket.resume())
    }
    await until('those above the maximum are closed', () => closed >= 200, 15_000)
    await until('all are closed', () => closed === sockets.length, 45_000)
    expect((await fetch(`${up.serving}/healthz`)).status).toBe(200)
  } finally {
    for (const socket of sockets) socket.destroy()
    await up.end('SIGKILL')
    await rm(data, { recursive: true, force: true })
  }
}, 90_000)
