import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isRunning } from '../../cli/host/running.ts'
import { ROOT } from '../code/sources.ts'
import { environment, startUp } from './up.ts'
import { until } from './watch.ts'

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'tidemark-supervisor-'))
})
afterEach(() => rm(data, { recursive: true, force: true }))

/** What is there while a process uses the directory, and gone once it has stopped in order. */
const WHILE_RUNNING = ['addresses.json', 'lock.holder', 'up.token']

async function leftBehind(): Promise<string[]> {
  return (await readdir(data)).filter((name) => WHILE_RUNNING.includes(name))
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} stops everything in order`, async () => {
    const up = await startUp(data, ['--agent-enabled', 'false'])
    expect(await leftBehind()).toEqual(WHILE_RUNNING)
    expect([await up.end(signal), await leftBehind()]).toEqual([0, []])
  })
}

test('a supervisor that ends npm ends the server with it, in order', async () => {
  const npm = spawn('npm', ['start'], {
    cwd: ROOT,
    stdio: 'ignore',
    env: {
      ...environment(),
      TIDEMARK_DATA: data,
      TIDEMARK_COLLECTOR_LISTEN: '127.0.0.1:0',
      TIDEMARK_SERVING_LISTEN: '127.0.0.1:0',
    },
  })
  const ended = once(npm, 'exit')
  let server: number | null = null
  try {
    await until('it is up', async () => (await readdir(data)).includes('addresses.json'))
    server = Number(/process (\d+)/.exec(await readFile(join(data, 'lock.holder'), 'utf8'))![1])
    npm.kill('SIGTERM')
    await ended
    await until('the server has ended', () => !isRunning(server!), 10_000)
    expect(await leftBehind()).toEqual([])
  } finally {
    npm.kill('SIGKILL')
    if (server !== null && isRunning(server)) process.kill(server, 'SIGKILL')
  }
})
