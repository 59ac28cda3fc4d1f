import { cp, mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, runCommand, startUp } from './up.ts'
import { ackMs, counted, until } from './watch.ts'

/** Enough to fill a segment of the journal: the names in a block are all others, and long. */
const MESSAGES = 700_000
const NAME_BYTES = 110

let dir: string
let up: Running | null = null
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-lost-lake-'))
})
afterAll(async () => {
  await up?.end('SIGKILL')
  await rm(dir, { recursive: true })
})

const data = () => join(dir, 'data')
const lake = (name: string) => join(dir, name)
const start = async () => {
  up = await startUp(data(), ['--agent-enabled', 'false', '--speed-tick', '1s'])
  return up
}
const status = async ({ serving }: Running) => (await fetch(`${serving}/v1/status`)).json()
const stats = async (service: string) =>
  (await fetch(`${up!.serving}/v1/services/${service}/stats`)).json() as Promise<{
    messages?: number
    complete?: boolean
    gaps?: { reason: string; from: number; to: number }[]
  }>

async function sendMany({ collector }: Running): Promise<void> {
  const socket = net.connect(collector.port, collector.host)
  let last = ''
  socket.on('data', (bytes) => {
    last = (last + bytes).slice(-100)
  })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  for (let i = 0; i < MESSAGES; ) {
    const lines: string[] = []
    for (; lines.length < 1_000; i++)
      lines.push(
        `{"service":"bulk","host":"${String(i % 200).padStart(NAME_BYTES, 'h')}","cpu":1,"ram":2,"disk":3}\n`,
      )
    if (!socket.write(lines.join(''))) await new Promise((resolve) => socket.once('drain', resolve))
  }
  socket.end()
  await closed
  expect(last).toContain(`{"ack":${MESSAGES}}`)
}

/** A data directory whose journal was trimmed, and a copy of the lake from before. */
beforeAll(async () => {
  let running = await start()
  await ackMs(running.collector.port, 'before')
  await until('it is counted', async () => (await counted(running, 'before')) > 0)
  await running.end('SIGTERM')
  await cp(join(data(), 'lake'), lake('old'), { recursive: true })
  running = await start()
  await sendMany(running)
  await until('the journal was trimmed', async () => {
    await runCommand(['batch', '--once', '--data', data()])
    return ((await status(running)) as { log: { start: number } }).log.start > 0
  })
  await running.end('SIGTERM')
}, 120_000)

for (const found of ['old', null] as const)
  test(`${found === null ? 'without its lake' : 'with an older lake'}, a trimmed journal goes on with a named gap`, async () => {
    await rm(join(data(), 'lake'), { recursive: true })
    if (found !== null) await cp(lake(found), join(data(), 'lake'), { recursive: true })
    const running = await start()
    const service = `after-${found}`
    await ackMs(running.collector.port, service)
    await until('it is answered', async () => ((await stats(service)).messages ?? 0) > 0)
    const { complete, gaps } = await stats(service)
    expect([complete, gaps?.[0]?.reason]).toEqual([false, expect.stringMatching(/lake does not have them/)])
    expect(gaps![0]!.to).toBeGreaterThan(1_000)
    await until('it is ready', async () => (await fetch(`${running.serving}/readyz`)).ok)
    expect((await fetch(`${running.serving}/v1/status`)).status).toBe(200)
    expect(await running.end('SIGTERM')).toBe(0)
  })
