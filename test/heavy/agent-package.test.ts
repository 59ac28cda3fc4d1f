import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSpool } from '../../agent/spool/format.ts'
import { VERSION } from '../../cli/version.ts'
import { makeCa } from '../cli/host/certificates.ts'
import { ROOT } from '../code/sources.ts'
import { needs } from './needs.ts'
import { environment, runCommand, startUp } from './up.ts'
import { until } from './watch.ts'

const run = promisify(execFile)
const TARBALL_BYTES_MAX = 64 << 10
const SENT_MS_MAX = 30_000

let dir: string
let installed: boolean

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-package-'))
  await run('npm', ['run', 'pack:agent', '--', dir], { cwd: ROOT })
  const home = join(dir, 'home')
  await mkdir(home)
  const args = ['install', '--no-audit', '--no-fund', join(dir, `tidemark-agent-${VERSION}.tgz`)]
  const reachable = await run('npm', args, { cwd: home }).then(
    () => true,
    () => false,
  )
  installed = needs('a package registry with systeminformation, for the agent package', reachable)
}, 180_000)
afterAll(() => rm(dir, { recursive: true }))

const agent = () => join(dir, 'home/node_modules/.bin/tidemark-agent')
const entryPath = () => join(dir, 'home/node_modules/tidemark-agent/cli/agent-package/entry.js')

test('the tarball is small and holds no sources but the agent', async () => {
  const tarball = join(dir, `tidemark-agent-${VERSION}.tgz`)
  expect((await readFile(tarball)).length).toBeLessThan(TARBALL_BYTES_MAX)
  const { stdout } = await run('tar', ['tzf', tarball])
  const paths = stdout.trim().split('\n')
  expect(paths).toEqual(
    expect.arrayContaining(['package/README.md', 'package/LICENSE', 'package/agent/spool/spool.js']),
  )
  expect(paths.filter((path) => !/^package\/([A-Za-z.]+$|(agent|cli|schemas)\/.*\.js$)/.test(path))).toEqual(
    [],
  )
})

test('a machine with the package has systeminformation besides it and nothing else', async () => {
  if (!installed) return
  const names = (await readdir(join(dir, 'home/node_modules'))).filter((name) => !name.startsWith('.'))
  expect(names.sort()).toEqual(['systeminformation', 'tidemark-agent'])
})

test('it is the same command under its own name', async () => {
  if (!installed) return
  expect((await run(agent(), ['--version'])).stdout).toBe(`${VERSION}\n`)
  expect((await run(agent(), ['--help'])).stdout).toMatch(/^Usage: tidemark-agent \[install\] \[OPTIONS\]\n/)
  expect((await run(agent(), ['--service', 'web', '--once', '--interval', '10ms'])).stdout).toMatch(
    /^\{"service":"web"/,
  )
  const unit = (await run(agent(), ['install', '--service', 'web', '--print'])).stdout
  expect(unit).toMatch(
    /^ExecStart=\S+ .*\/cli\/agent-package\/entry\.js --collector=|tidemark-agent --collector=/m,
  )
  await expect(run(agent(), ['--servise', 'web'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^tidemark-agent: tidemark-agent has no option --servise; did you mean --service\?/,
    ),
  })
})

test('what it samples is counted by a real collector, once each, over a restart', async () => {
  if (!installed) return
  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false'])
  const { host, port } = up.collector
  const spool = join(dir, 'spool')
  const flags = [
    '--collector',
    `${host}:${port}`,
    '--service',
    'packed',
    '--interval',
    '50ms',
    '--spool',
    spool,
  ]
  const stats = async () => {
    const answer = await fetch(`${up.serving}/v1/services/packed/stats`)
    return answer.ok ? ((await answer.json()) as { messages: number }).messages : 0
  }
  try {
    let least = 0
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const child = spawn(agent(), flags, { env: environment(), stdio: 'ignore' })
      least += 20
      const untilMs = Date.now() + SENT_MS_MAX
      while ((await stats()) < least && Date.now() < untilMs) await wait(50)
      child.kill(signal)
      await once(child, 'exit')
    }
    expect(await stats()).toBeGreaterThanOrEqual(least)
  } finally {
    await up.end('SIGTERM')
  }
})

/** Releases of Node that a monitored machine may have; the first is what Debian 12 came with. */
const NODES = ['18.13.0', '18', '20', '22', '24']

const nodes = new Map<string, Promise<string | null>>()

/** That Node, installed beside the package; null where it cannot be had. */
function nodeOf(release: string): Promise<string | null> {
  const node = nodes.get(release) ?? installNode(release)
  nodes.set(release, node)
  return node
}

async function installNode(release: string): Promise<string | null> {
  const home = join(dir, `node-${release}`)
  await mkdir(home)
  const args = ['install', '--no-audit', '--no-fund', `node@${release}`]
  const reachable = await run('npm', args, { cwd: home }).then(
    () => true,
    () => false,
  )
  const found = needs(`npm's package node@${release}, for the agent package`, reachable)
  return found ? join(home, 'node_modules/.bin/node') : null
}

test.each(NODES)(
  'it runs on Node %s: samples are counted once each, and it alone has its spool',
  async (release) => {
    if (!installed) return
    const node = await nodeOf(release)
    if (node === null) return
    const entry = entryPath()
    expect(await run(node, [entry, '--version'])).toMatchObject({ stdout: `${VERSION}\n`, stderr: '' })
    const printed = await run(node, [entry, '--service', 'web', '--once', '--interval', '10ms'])
    expect([Object.keys(JSON.parse(printed.stdout)), printed.stderr]).toEqual([
      ['service', 'host', 'time_stamp', 'cpu', 'ram', 'disk'],
      '',
    ])
    const unit = (await run(node, [entry, 'install', '--service', 'web', '--print'])).stdout
    const flags = /^ExecStart=\S+ (.*?) \S*entry\.js/m.exec(unit)![1]!.split(' ')
    expect((await run(node, [...flags, entry, '--version'])).stderr).toBe('')

    const up = await startUp(join(dir, `data-${release}`), ['--agent-enabled', 'false'])
    const spool = join(dir, `spool-${release}`)
    const args = ['--collector', `127.0.0.1:${up.collector.port}`, '--service', 'old', '--interval', '50ms']
    const counted = async () => {
      const answer = await fetch(`${up.serving}/v1/services/old/stats`)
      return answer.ok ? ((await answer.json()) as { messages: number }).messages : 0
    }
    try {
      let least = 0
      for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
        const child = spawn(node, [...flags, entry, ...args, '--spool', spool], { env: environment() })
        let said = ''
        child.stderr.on('data', (bytes) => {
          said += bytes
        })
        least += 20
        await until('its samples are counted', async () => (await counted()) >= least, SENT_MS_MAX)
        await expect(run(node, [entry, ...args, '--spool', spool])).rejects.toMatchObject({
          stderr: expect.stringMatching(/is held by agent, process \d+/),
        })
        child.kill(signal)
        await once(child, 'exit')
        expect(said).not.toMatch(/Warning|rror/)
      }
      const { newest, ids } = await spooled(spool)
      expect(ids).toBe(1)
      await until('the last one is counted', async () => (await counted()) >= newest, SENT_MS_MAX)
      expect(await counted()).toBe(newest)
    } finally {
      await up.end('SIGTERM')
    }
  },
)

/** The number of the newest sample in a spool, and how many ids its files have. */
async function spooled(spool: string): Promise<{ newest: number; ids: number }> {
  const names = (await readdir(spool)).filter((name) => name.endsWith('.spool'))
  const files = await Promise.all(names.map(async (name) => readSpool(await readFile(join(spool, name)))))
  const newest = files.map(({ head, records }) => records.at(-1)?.number ?? head!.first - 1)
  return { newest: Math.max(...newest), ids: new Set(files.map(({ head }) => head!.agent)).size }
}

test('a df that hangs, as one does for a dead mount, keeps it from nothing', async () => {
  if (!installed) return
  const fake = join(dir, 'fake')
  await mkdir(fake)
  await writeFile(join(fake, 'df'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 })
  const env = { ...environment(), PATH: `${fake}:${process.env.PATH}` }
  const { stdout } = await run(agent(), ['--service', 'web', '--once', '--interval', '10ms'], {
    env,
    timeout: 15_000,
  })
  expect(JSON.parse(stdout).disk).toBeGreaterThan(0)
})

test.each(['18.13.0', '24'])('it speaks TLS and shows a token, on Node %s', async (release) => {
  if (!installed) return
  const node = await nodeOf(release)
  if (node === null) return
  const ca = await makeCa()
  const pair = await ca.issue({ ip: ['127.0.0.1'] })
  const file = (name: string) => join(dir, name)
  for (const [name, bytes] of Object.entries({ ca: ca.cert, cert: pair.cert, key: pair.key }))
    await writeFile(file(`${name}.pem`), bytes)
  const data = file(`tls-data-${release}`)
  const { out } = await runCommand(['token', 'create', '--role', 'admin', '--data', data])
  await writeFile(file('token'), out)
  const up = await startUp(data, [
    ...['--collector-tls-cert', file('cert.pem'), '--collector-tls-key', file('key.pem')],
    '--tokens-loopback',
  ])
  const headers = { authorization: `Bearer ${out.trim()}` }
  const flags = ['--collector', `127.0.0.1:${up.collector.port}`, '--service', 'packed', '--interval', '50ms']
  const reach = ['--tls', '--ca', file('ca.pem'), '--token-file', file('token')]
  const child = spawn(node, [entryPath(), ...flags, ...reach], { env: environment(), stdio: 'ignore' })
  try {
    const arrived = async () => (await fetch(`${up.serving}/v1/services/packed/stats`, { headers })).ok
    await until('its samples are counted', arrived, SENT_MS_MAX)
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
    expect(await up.end('SIGTERM')).toBe(0)
  }
})
