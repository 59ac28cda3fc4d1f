import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockSpool, type SpoolLockOptions } from '../../../../cli/commands/agent/spool-lock.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-lock-'))
})
afterEach(() => rm(dir, { recursive: true }))

const lock = (holder: string, options?: SpoolLockOptions) => lockSpool(join(dir, 'lock'), holder, options)

const NEW = { sqlite: true }
const OLD = { sqlite: false }
const WITHOUT_PROGRAM = { sqlite: true, program: 'tidemark-no-such-program' }

test.each([
  ['two of a Node with SQLite', NEW, NEW],
  ['two of a Node without', OLD, OLD],
  ['an older one after a newer one', NEW, OLD],
  ['a newer one after an older one', OLD, NEW],
  ['two on a machine without flock', WITHOUT_PROGRAM, WITHOUT_PROGRAM],
])('a spool has one agent: %s', async (_, first, second) => {
  const held = await lock('agent, process 1', first)
  await expect(lock('agent, process 2', second)).rejects.toMatchObject({
    code: 'E_LOCKED',
    message: expect.stringContaining('is held by agent, process 1'),
  })
  await held.release()
  const next = await lock('agent, process 2', second)
  await next.release()
  expect((await readdir(dir)).filter((name) => name.endsWith('.holder'))).toEqual([])
})

test('without SQLite and without flock there is no lock, and it says what is missing', async () => {
  await expect(lock('agent', { ...WITHOUT_PROGRAM, sqlite: false })).rejects.toMatchObject({
    code: 'E_DISK',
    message: expect.stringMatching(/needs the program flock/),
  })
})

test('the lock of a process that is killed ends with it', async () => {
  const module = new URL('../../../../cli/commands/agent/spool-lock.ts', import.meta.url)
  const script = `const { lockSpool } = await import(${JSON.stringify(module.href)})
    await lockSpool(${JSON.stringify(join(dir, 'lock'))}, 'a child', { sqlite: false })
    console.log('locked')
    setInterval(() => {}, 1e6)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await expect(lock('agent', OLD)).rejects.toMatchObject({ message: expect.stringContaining('a child') })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await lock('agent', OLD)).release()
})
