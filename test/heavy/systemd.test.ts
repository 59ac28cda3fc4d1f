import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { needs } from './needs.ts'
import { runCommand } from './up.ts'

const run = promisify(execFile)
/** systemd calls up to 2 a service that is well protected. */
const EXPOSURE_MAX = 2
/** The first release whose `security` reads a unit that is not loaded. */
const SYSTEMD_MIN = 250

function systemdVersion(): number {
  const { stdout } = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' })
  return Number(/^systemd (\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}

const FLAGS = ['--service', '50% of "web"; $HOME \\', '--host', 'ä b', '--interval', '5s']

test('systemd takes the unit without a word, and finds it well protected', async () => {
  if (!needs(`systemd-analyze ${SYSTEMD_MIN} or newer`, systemdVersion() >= SYSTEMD_MIN)) return
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-unit-'))
  try {
    const unit = join(dir, 'tidemark-agent.service')
    const { code, err } = await runCommand(['agent', 'install', ...FLAGS, '--unit', unit, '--force'])
    // A checkout in a home is refused; its unit is looked at all the same.
    if (code !== 0) {
      expect(err).toMatch(/the service may not read/)
      const { out } = await runCommand(['agent', 'install', ...FLAGS, '--print'])
      await writeFile(unit, out)
    }
    const verified = await run('systemd-analyze', ['verify', unit])
    expect(verified).toEqual({ stdout: '', stderr: '' })
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', unit])
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
    expect(exposure).toBeLessThan(EXPOSURE_MAX)
  } finally {
    await rm(dir, { recursive: true })
  }
})
