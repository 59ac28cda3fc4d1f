import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSpool } from '../../agent/spool/format.ts'
import { makeCa, type Pair, type TestCa } from '../cli/host/certificates.ts'
import { environment, type Running, runCommand, startUp } from './up.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const WAIT_MS_MAX = 30_000

let dir: string
let ca: TestCa
const agents: ChildProcess[] = []
let up: Running | null = null

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-tls-'))
  ca = await makeCa()
  await writeFile(join(dir, 'ca.pem'), ca.cert)
})

afterEach(async () => {
  for (const agent of agents.splice(0)) {
    agent.kill('SIGKILL')
    if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'exit')
  }
  await up?.end('SIGTERM')
  up = null
  await rm(dir, { recursive: true })
})

/** `up` with a certificate, and what further arguments say. */
async function start(pair: Pair, args: readonly string[] = []): Promise<Running> {
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  await writeFile(cert, pair.cert)
  await writeFile(key, pair.key)
  up = await startUp(join(dir, 'data'), ['--collector-tls-cert', cert, '--collector-tls-key', key, ...args])
  return up
}

const token = async (...args: string[]) =>
  (await runCommand(['token', ...args, '--data', join(dir, 'data')])).out.trim()

/** An agent with a spool, and what it says. */
function agent(port: number, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const flags = [
    '--collector',
    `127.0.0.1:${port}`,
    '--service',
    'far',
    '--interval',
    '50ms',
    '--spool',
    join(dir, 'spool'),
  ]
  const child = spawn(process.execPath, [ENTRY, 'agent', ...flags, ...args], {
    env: { ...environment(), ...env },
  })
  agents.push(child)
  let said = ''
  child.stderr.on('data', (bytes) => {
    said += bytes
  })
  return {
    said: () => said,
    async end() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + WAIT_MS_MAX
  while (!(await what())) {
    if (Date.now() > untilMs) throw new Error('waited in vain')
    await wait(50)
  }
}

async function counted({ serving }: Running, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`${serving}/v1/services/far/stats`, { headers })
  return answer.ok ? ((await answer.json()) as { messages: number }).messages : 0
}

/** Waits until everything the agent has kept so far is counted, ends it, and checks that nothing is counted twice. */
async function allCounted(
  running: Running,
  sender: { end(): Promise<void> },
  headers: Record<string, string> = {},
) {
  const all = await kept()
  await until(async () => (await counted(running, headers)) >= all)
  await sender.end()
  expect(await counted(running, headers)).toBeLessThanOrEqual(await kept())
}

/** Samples that the agent ever kept. */
async function kept(): Promise<number> {
  const spool = join(dir, 'spool')
  const names = (await readdir(spool).catch(() => [])).filter((name) => name.endsWith('.spool'))
  const files = await Promise.all(
    names.map(async (name) => readSpool(await readFile(join(spool, name)).catch(() => new Uint8Array()))),
  )
  return Math.max(0, ...files.map(({ head, records }) => records.at(-1)?.number ?? (head?.first ?? 1) - 1))
}

test('over TLS samples arrive, also those of the agent that `up` runs', async () => {
  const running = await start(await ca.issue({ dns: ['nowhere.example'], ip: ['127.0.0.1'] }))
  const one = agent(running.collector.port, ['--ca', join(dir, 'ca.pem')])
  await until(async () => (await kept()) > 20)
  await allCounted(running, one)
  const status = (await (await fetch(`${running.serving}/v1/status`)).json()) as { agent: { acked: number } }
  expect(status.agent.acked).toBeGreaterThan(0)
})

test('a renewed certificate is taken within a minute: by strangers and by the own agent, and who is connected stays', async () => {
  const running = await start(await ca.issue({ ip: ['127.0.0.1'] }))
  const { port } = running.collector
  const early = agent(port, ['--ca', join(dir, 'ca.pem')])
  await until(async () => (await counted(running)) > 20)
  const next = await ca.issue({ ip: ['127.0.0.1'] })
  await writeFile(join(dir, 'cert.pem'), next.cert)
  await wait(500)
  await writeFile(join(dir, 'key.pem'), next.key)
  const serial = new X509Certificate(next.cert).serialNumber
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const socket = tls.connect({ port, host: '127.0.0.1', ca: ca.cert }, () => {
        resolve(socket.getPeerX509Certificate()!.serialNumber)
        socket.destroy()
      })
      socket.once('error', reject)
    })
  const deadlineMs = Date.now() + 90_000
  while ((await shown()) !== serial && Date.now() < deadlineMs) await wait(500)
  expect(await shown()).toBe(serial)
  expect(running.output()).toContain('collector: the certificate was renewed')
  expect(early.said()).not.toContain('connect')
  await allCounted(running, early)
}, 180_000)

test('a wrong CA, name or date is said once, and the spool keeps all until it is mended', async () => {
  const otherCa = await makeCa()
  const wrong: [Pair, RegExp][] = [
    [await otherCa.issue({ ip: ['127.0.0.1'] }), /signed by nobody who is trusted here/],
    [await ca.issue({ dns: ['elsewhere.example'] }), /is for another name/],
    [await ca.issue({ ip: ['127.0.0.1'] }, -60_000), /has expired/],
  ]
  for (const [pair, message] of wrong) {
    const running = await start(pair, ['--agent-enabled', 'false'])
    const one = agent(running.collector.port, ['--ca', join(dir, 'ca.pem')])
    const before = await kept()
    await until(async () => message.test(one.said()) && (await kept()) > before + 20)
    expect(one.said().match(/E_CERTIFICATE/g)).toHaveLength(1)
    expect(await counted(running)).toBe(0)
    await one.end()
    await running.end('SIGTERM')
  }
  const running = await start(await ca.issue({ ip: ['127.0.0.1'] }), ['--agent-enabled', 'false'])
  const last = agent(running.collector.port, ['--tls', '--ca', join(dir, 'ca.pem')])
  await allCounted(running, last)
})

test('TLS on one side alone is said by the agent', async () => {
  const running = await start(await ca.issue({ ip: ['127.0.0.1'] }))
  const plain = agent(running.collector.port, [])
  await until(() => /this collector speaks TLS alone \(E_TLS\).*--tls or --ca FILE/.test(plain.said()))
  await plain.end()
  await running.end('SIGTERM')
  up = await startUp(join(dir, 'data'))
  const secure = agent(up.collector.port, ['--ca', join(dir, 'ca.pem')])
  await until(() => /speaks no TLS \(E_TLS\)/.test(secure.said()))
})

test('where a token is needed none means nothing, a new one lets in at once, and a revoked one is out', async () => {
  const pair = await ca.issue({ ip: ['127.0.0.1'] })
  const running = await start(pair, ['--tokens-loopback'])
  expect((await fetch(`${running.serving}/v1/services`)).status).toBe(401)
  const sends = await token('create', '--role', 'agent', '--name', 'far away')
  const looks = { authorization: `Bearer ${await token('create', '--role', 'viewer')}` }
  const tokenFile = join(dir, 'token')
  await writeFile(tokenFile, `${sends}\n`)
  const one = agent(running.collector.port, ['--ca', join(dir, 'ca.pem'), '--token-file', tokenFile])
  await until(async () => (await counted(running, looks)) > 20)

  const [, id] = sends.split('_')
  expect(await token('revoke', id!)).toBe(`Token ${id} is revoked.`)
  await until(() => /no such access token, or it was revoked \(E_TOKEN\)/.test(one.said()))
  // What had arrived before is in the open block, and counts.
  await wait(1_000)
  const then = await counted(running, looks)
  await wait(1_000)
  expect(await counted(running, looks)).toBe(then)
  await one.end()

  const again = await token('create', '--role', 'agent')
  const two = agent(running.collector.port, ['--ca', join(dir, 'ca.pem')], { TIDEMARK_TOKEN: again })
  await until(async () => (await counted(running, looks)) > then + 20)
  await allCounted(running, two, looks)
  expect(running.output() + one.said() + two.said()).not.toContain(sends.slice(13))

  // Commands on this machine ask as the process itself, as its agent sends.
  const status = await runCommand(['status', '--json', '--data', join(dir, 'data')])
  expect(JSON.parse(status.out).agent).toMatchObject({ state: 'connected', lost: 0 })
})

test('beyond this machine `up` starts with tokens, or when told that it is meant', async () => {
  const data = join(dir, 'data')
  const everywhere = ['--collector-listen', '0.0.0.0:0', '--serving-listen', '0.0.0.0:0']
  const refused = await runCommand(['up', '--data', data, ...everywhere])
  expect([refused.code, refused.out]).toEqual([2, ''])
  expect(refused.err).toMatch(
    /collector\.listen is 0\.0\.0\.0:0.*E_EXPOSED.*tidemark token create.*--insecure/,
  )
  const insecure = await startUp(data, [...everywhere, '--insecure'])
  await insecure.end('SIGTERM')
  await token('create', '--role', 'admin')
  const guarded = await startUp(data, everywhere)
  // From this machine nothing is needed, whatever it listens on.
  const local = `http://127.0.0.1:${new URL(guarded.serving).port}`
  expect((await fetch(`${local}/v1/services`)).status).toBe(200)
  expect(await guarded.end('SIGTERM')).toBe(0)
})

test('a `token create` that is killed leaves the old tokens or one more, whole and for the owner alone', async () => {
  const data = join(dir, 'data')
  await token('create', '--role', 'agent')
  let count = 1
  for (let i = 0; i < 12; i++) {
    const child = spawn(process.execPath, [ENTRY, 'token', 'create', '--role', 'viewer', '--data', data], {
      env: environment(),
      stdio: 'ignore',
    })
    await wait(100 + 40 * i)
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const listed = (await token('list', '--json')).split('\n').length
    expect([count, count + 1]).toContain(listed)
    count = listed
  }
  const made = await token('create', '--role', 'viewer')
  expect(made).toMatch(/^tmk_/)
  const { mode } = await stat(join(data, 'tokens.json'))
  expect(mode & 0o777).toBe(0o600)
})
