import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { environment, startUp } from './up.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const SAID_MS_MAX = 60_000

test('what a full spool loses is numbered in the log of the agent and in the status of the collector', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-loss-'))
  const data = join(dir, 'data')
  // The port of a collector that is not there yet.
  const before = await startUp(data, ['--agent-enabled', 'false'])
  const collector = `127.0.0.1:${before.collector.port}`
  await before.end('SIGTERM')

  const spool = ['--spool', join(dir, 'spool'), '--spool-max', '64KiB']
  const flags = ['--collector', collector, '--service', 'lossy', '--interval', '2ms', ...spool]
  const agent = spawn(process.execPath, [ENTRY, 'agent', ...flags], { env: environment() })
  let log = ''
  agent.stderr.on('data', (bytes) => {
    log += bytes
  })
  const said = async (what: RegExp) => {
    const untilMs = Date.now() + SAID_MS_MAX
    while (!what.test(log) && Date.now() < untilMs) await wait(50)
    return what.exec(log)
  }
  let up: Awaited<ReturnType<typeof startUp>> | null = null
  try {
    expect(await said(/the spool is full, the oldest samples are lost/)).not.toBeNull()
    expect(await said(/samples? (is|are) lost so far/)).not.toBeNull()
    up = await startUp(data, ['--agent-enabled', 'false', '--collector-listen', collector])
    const told = await said(/the collector knows that (\d+) samples? (?:is|are) lost/)
    const status = (await (await fetch(`${up.serving}/v1/status`)).json()) as {
      collector: { lost_by_agents: number }
    }
    expect(Number(told?.[1])).toBeGreaterThan(0)
    expect(status.collector.lost_by_agents).toBe(Number(told![1]))
  } finally {
    agent.kill('SIGTERM')
    await once(agent, 'exit')
    await up?.end('SIGTERM')
    await rm(dir, { recursive: true })
  }
})
