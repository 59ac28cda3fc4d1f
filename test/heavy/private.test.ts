import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SpoolAgent } from './agent.ts'
import { runCommand, startUp } from './up.ts'
import { ackMs, counted, until } from './watch.ts'

const OTHERS = 0o077

let dir: string
let umask: number
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-private-'))
  // As most systems have it; processes that a test starts take it over.
  umask = process.umask(0o022)
})
afterEach(async () => {
  process.umask(umask)
  await rm(dir, { recursive: true })
})

/** Files and folders in `folder`, and those that others than the user may do something with. */
async function listed(folder: string): Promise<{ all: string[]; open: string[] }> {
  const all = [folder, ...(await readdir(folder, { recursive: true })).map((name) => join(folder, name))]
  const open: string[] = []
  for (const path of all) {
    const found = await stat(path).catch(() => null)
    if (found !== null && (found.mode & OTHERS) !== 0) open.push(path)
  }
  return { all, open }
}

test('what up and an agent keep, only their user can read', async () => {
  const data = join(dir, 'data')
  const up = await startUp(data, ['--agent-enabled', 'false', '--speed-tick', '1s'])
  const agent = new SpoolAgent(up.collector.port, 'spooled', join(dir, 'spool'))
  try {
    await ackMs(up.collector.port, 'web')
    agent.start()
    await until('both are counted', async () => (await counted(up, 'spooled')) > 10)
    expect((await runCommand(['batch', '--once', '--data', data])).code).toBe(0)
    expect((await runCommand(['token', 'create', '--role', 'agent', '--data', data])).code).toBe(0)
    const [kept, spool] = [await listed(data), await listed(agent.spool)]
    expect([kept.open, spool.open]).toEqual([[], []])
    expect(spool.all.length).toBeGreaterThan(1)
    for (const part of ['journal', 'lake/messages', 'lake/service_minute', 'index.db', 'lock', 'tokens.json'])
      expect(kept.all, part).toContain(join(data, part))
  } finally {
    await agent.end('SIGKILL')
    await up.end('SIGKILL')
  }
})

test('a unit is for systemd to read', async () => {
  const unit = join(dir, 'tidemark-agent.service')
  const { code, err } = await runCommand(['agent', 'install', '--service', 'web', '--unit', unit])
  // Where the checkout lies in a home or in /tmp, the unit could not see it.
  if (code !== 0) expect(err).toMatch(/may not read/)
  else expect((await stat(unit)).mode & 0o777).toBe(0o644)
})
