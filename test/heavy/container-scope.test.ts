import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { needs } from './needs.ts'
import { environment } from './up.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const MIB = 1 << 20
const LIMITS = { 'cpu.max': '50000 100000\n', 'memory.max': `${1_024 * MIB}\n` }
const USE = {
  'memory.current': `${512 * MIB}\n`,
  'memory.stat': `anon 1\ninactive_file ${256 * MIB}\n`,
  'cpu.stat': 'usage_usec 1000000\nuser_usec 1\n',
}

const mayUnshare = needs(
  'leave to make a mount namespace',
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'x', '/sys/fs/cgroup']).status === 0,
)

/** What `agent --once` says where `/sys/fs/cgroup` holds these files, as in a container of its own control group. */
async function sampled(files: { readonly [name: string]: string }, ...flags: string[]) {
  const write = Object.entries(files).map(([name, text]) => `printf %s '${text}' > /sys/fs/cgroup/${name}`)
  const script = ['mount -t tmpfs x /sys/fs/cgroup', ...write, 'exec "$@"'].join(' && ')
  const agent = [process.execPath, ENTRY, 'agent', '--service', 'x', '--once', ...flags]
  const run = promisify(execFile)('unshare', ['-m', 'sh', '-c', script, 'sh', ...agent], {
    env: environment(),
  })
  return run.then(
    ({ stdout }) => JSON.parse(stdout),
    ({ stderr }) => stderr,
  )
}

test.runIf(mayUnshare)(
  "in a container with limits a sample is the container's, unless it is told otherwise",
  async () => {
    const container = { cpu: 0, ram: 25, disk: expect.any(Number) }
    expect(await sampled({ ...LIMITS, ...USE })).toMatchObject(container)
    expect((await sampled({ ...LIMITS, ...USE }, '--scope', 'host')).ram).not.toBe(25)
    expect((await sampled(USE)).ram).not.toBe(25)
    // Without limits of its own a container may use what the machine has.
    expect((await sampled(USE, '--scope', 'container')).ram).toBeLessThan(25)
    expect(await sampled(LIMITS, '--scope', 'container')).toContain('tells nothing in')
  },
)
