import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readSpool } from '../../agent/spool-format.ts'
import { environment, startUp } from './up.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const KILLS = 8
const SETTLED_MS_MAX = 30_000

/** Number of the newest record of a spool. */
async function newest(dir: string): Promise<number> {
  const names = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.spool'))
  const files = await Promise.all(
    names.map(async (name) => {
      // It may be removed meanwhile, being settled.
      return readSpool(await readFile(join(dir, name)).catch(() => new Uint8Array()))
    }),
  )
  return Math.max(0, ...files.map(({ head, records }) => records.at(-1)?.number ?? (head?.first ?? 1) - 1))
}

test('a real agent that is killed again and again while the collector stands still loses and repeats nothing', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-spool-'))
  const spool = join(dir, 'spool')
  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false'])
  const { host, port } = up.collector
  const flags = [
    '--collector',
    `${host}:${port}`,
    '--service',
    'spooled',
    '--interval',
    '20ms',
    '--spool',
    spool,
  ]
  const start = () =>
    spawn(process.execPath, [ENTRY, 'agent', ...flags], { env: environment(), stdio: 'ignore' })
  /** Waits until so many more samples are in the spool. */
  const growth = async (samples: number) => {
    const enough = (await newest(spool)) + samples
    const untilMs = Date.now() + SETTLED_MS_MAX
    while ((await newest(spool)) < enough && Date.now() < untilMs) await wait(5)
  }
  const messages = async () => {
    const answer = await fetch(`http://${up.serving.replace(/^http:\/\//, '')}/v1/services/spooled/stats`)
    return answer.ok ? ((await answer.json()) as { messages: number }).messages : 0
  }
  try {
    for (let kills = 0; kills < KILLS; kills++) {
      const agent = start()
      if (kills % 2 === 1) up.child.kill('SIGSTOP')
      await growth(20 + 3 * kills)
      agent.kill('SIGKILL')
      await once(agent, 'exit')
      up.child.kill('SIGCONT')
    }
    const last = start()
    await growth(20)
    last.kill('SIGTERM')
    await once(last, 'exit')
    const kept = await newest(spool)
    expect(kept).toBeGreaterThan(20 * KILLS)
    const untilMs = Date.now() + SETTLED_MS_MAX
    while ((await messages()) < kept && Date.now() < untilMs) await wait(100)
    expect(await messages()).toBe(kept)
  } finally {
    up.child.kill('SIGCONT')
    await up.end('SIGTERM')
    await rm(dir, { recursive: true })
  }
})
