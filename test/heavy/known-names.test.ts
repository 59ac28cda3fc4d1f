import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Running, runCommand, startUp } from './up.ts'
import { until } from './watch.ts'

let dir: string
let up: Running
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-known-'))
})
afterEach(async () => {
  await up.end('SIGKILL')
  await rm(dir, { recursive: true })
})

const start = async () => {
  const limit = ['--collector-services-max', '2', '--agent-enabled', 'false', '--speed-tick', '1s']
  up = await startUp(join(dir, 'data'), limit)
}
const line = (service: string, seq?: number) => JSON.stringify({ service, cpu: 1, ram: 2, disk: 3, seq })

/** What the collector answers to lines. */
function send(lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(up.collector.port, up.collector.host)
    let answer = ''
    socket.on('data', (bytes) => {
      answer += bytes
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.end(`${lines.join('\n')}\n`)
  })
}

async function services(): Promise<Record<string, number>> {
  const answer = await (await fetch(`${up.serving}/v1/services`)).json()
  const { services: all } = answer as { services: { service: string; messages: number }[] }
  return Object.fromEntries(all.map(({ service, messages }) => [service, messages]))
}

test('after a restart, and after a kill, known services keep their places from strangers', async () => {
  await start()
  expect(await send([line('web'), line('db')])).toContain('{"ack":2}')
  expect((await runCommand(['batch', '--once', '--data', join(dir, 'data')])).code).toBe(0)
  let seq = 0
  for (const end of ['SIGTERM', 'SIGKILL'] as const) {
    await up.end(end)
    await start()
    expect((await send([line('x'), line('y')])).match(/E_SERVICES_MAX/g)).toHaveLength(2)
    const known = await send(['{"hello":1,"agent":"a-1"}', line('web', ++seq), line('db', ++seq)])
    expect(known).not.toContain('error')
    await until('they are counted', async () => (await services()).web === 1 + seq / 2)
    expect(await services()).toEqual({ web: 1 + seq / 2, db: 1 + seq / 2 })
  }
})

test('those that only the end of the journal holds are known too', async () => {
  up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false', '--speed-tick', '10m'])
  expect(await send([line('web'), line('db')])).toContain('{"ack":2}')
  await up.end('SIGKILL')
  await start()
  expect((await send([line('x'), line('web')])).match(/E_SERVICES_MAX/g)).toHaveLength(1)
})
