import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SpoolAgent } from './agent.ts'
import { startUp } from './up.ts'

const KILLS = 8
const SETTLED_MS_MAX = 30_000

test('a real agent that is killed again and again while the collector stands still loses and repeats nothing', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-spool-'))
  const spool = join(dir, 'spool')
  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false'])
  const { port } = up.collector
  const agent = new SpoolAgent(port, 'spooled', spool)
  /** Waits until so many more samples are in the spool. */
  const growth = async (samples: number) => {
    const enough = (await agent.newest()) + samples
    const untilMs = Date.now() + SETTLED_MS_MAX
    while ((await agent.newest()) < enough && Date.now() < untilMs) await wait(5)
  }
  const messages = async () => {
    const answer = await fetch(`http://${up.serving.replace(/^http:\/\//, '')}/v1/services/spooled/stats`)
    return answer.ok ? ((await answer.json()) as { messages: number }).messages : 0
  }
  try {
    for (let kills = 0; kills < KILLS; kills++) {
      agent.start()
      if (kills % 2 === 1) up.child.kill('SIGSTOP')
      await growth(20 + 3 * kills)
      await agent.end('SIGKILL')
      up.child.kill('SIGCONT')
    }
    agent.start()
    await growth(20)
    await agent.end('SIGTERM')
    const kept = await agent.newest()
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
