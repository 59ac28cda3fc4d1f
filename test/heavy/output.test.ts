import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { environment } from './up.ts'
import { ackMs, lastingPort, until } from './watch.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))

let dir: string
let started: ChildProcess[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-output-'))
  started = []
})
afterEach(async () => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

/** Runs a command with its output going where a line of shell says; `exec` makes the shell's process that of the command. */
function start(args: string, output: string): ChildProcess {
  const child = spawn('sh', ['-c', `exec ${process.execPath} ${ENTRY} ${args} ${output}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  })
  started.push(child)
  return child
}

/** What a command says on standard error until its end. */
async function saidBy(child: ChildProcess): Promise<string> {
  let said = ''
  child.stderr!.on('data', (bytes) => {
    said += bytes
  })
  child.stdout!.resume()
  await once(child, 'close')
  return said
}

const OUTPUTS = [
  ['a full disk', '>/dev/full 2>&1'],
  ['a reader that went away', '2>&1'],
] as const

async function treat(what: string, child: ChildProcess): Promise<void> {
  if (what !== 'a reader that went away') return
  await once(child.stdout!, 'data')
  child.stdout!.destroy()
}

for (const [what, output] of OUTPUTS) {
  test(`up goes on, and stops in order, when its output goes to ${what}`, async () => {
    const data = join(dir, 'data')
    const port = await lastingPort(Math.random)
    const child = start(
      `up --data ${data} --collector-listen 127.0.0.1:${port} --serving-listen 127.0.0.1:0`,
      output,
    )
    await treat(what, child)
    await until('it is up', async () => existsSync(join(data, 'addresses.json')))
    // A file of tokens that cannot be read is a line of its log.
    await writeFile(join(data, 'tokens.json'), 'x')
    await wait(1_500)
    await ackMs(port, 'web')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(await readdir(data)).not.toContain('addresses.json')
  })

  test(`an agent goes on when its output goes to ${what}`, async () => {
    const spool = join(dir, 'spool')
    // Nobody listens there: each attempt to connect is a line of its log.
    const child = start(
      `agent --collector 127.0.0.1:1 --service web --interval 10ms --spool ${spool}`,
      output,
    )
    await treat(what, child)
    await until('it samples', async () => existsSync(spool) && (await readdir(spool)).length > 1)
    await wait(2_500)
    expect(child.exitCode).toBe(null)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })
}

test('what a command says arrives whole at a slow reader, and it fails where that cannot be written', async () => {
  const created = new Date(0).toISOString()
  // More than a pipe takes while nobody reads it.
  const tokens = Array.from({ length: 1_000 }, (_, i) => {
    return { id: `id-${i}`, role: 'agent', name: 'n'.repeat(100), created, sha256: '0'.repeat(64) }
  })
  await writeFile(join(dir, 'tokens.json'), JSON.stringify({ version: 1, tokens }))
  // A pipe of the shell takes 64 KiB; a socket, as `start` gives, would take all of it.
  const command = `${process.execPath} ${ENTRY} token list --json --data ${dir}`
  const whole = spawn('sh', ['-c', `{ ${command}; echo exit $? >&2; } | { sleep 1; cat; }`], {
    env: environment(),
  })
  started.push(whole)
  let text = ''
  whole.stdout.on('data', (bytes) => {
    text += bytes
  })
  expect(await saidBy(whole)).toBe('exit 0\n')
  expect(text.split('\n')).toHaveLength(1_001)
  const full = start('config', '>/dev/full')
  expect(await saidBy(full)).toMatch(/^tidemark: standard output cannot be written: ENOSPC.*\n$/)
  expect(full.exitCode).toBe(1)
})

test('a working folder that was removed is said in a sentence', async () => {
  await mkdir(join(dir, 'gone'))
  const child = spawn(
    'sh',
    ['-c', `cd ${dir}/gone && rmdir ${dir}/gone && exec ${process.execPath} ${ENTRY} up`],
    {
      env: environment(),
    },
  )
  started.push(child)
  expect(await saidBy(child)).toMatch(
    /^tidemark: the working folder was removed; change to one that exists.*\n$/,
  )
  expect(child.exitCode).toBe(1)
})

test.runIf(process.platform === 'linux')(
  'a data directory that cannot be made is an error at once',
  async () => {
    const child = start('up --data /proc/nothing/data', '')
    expect(await saidBy(child)).toMatch(/^tidemark: \/proc\/nothing: ENOENT.*\n$/)
    expect(child.exitCode).toBe(1)
  },
)
