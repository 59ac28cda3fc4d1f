import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { byHand } from '../../pages/home/ways.ts'
import { ROOT } from '../code/sources.ts'
import { environment, startUp } from './up.ts'
import { counted, until } from './watch.ts'

/** Free ports and a folder of its own; all else is as the README has it. */
const settings = (data: string) => ({
  TIDEMARK_COLLECTOR_LISTEN: '127.0.0.1:0',
  TIDEMARK_SERVING_LISTEN: '127.0.0.1:0',
  TIDEMARK_DATA: data,
})

test("the README's way to send a line by hand works, and is the one that the empty page shows", async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const command = /^ {4}(node -e .*)$/m.exec(readme)![1]!
  const data = await mkdtemp(join(tmpdir(), 'tidemark-readme-'))
  const up = await startUp(data, ['--agent-enabled', 'false'])
  try {
    expect(byHand({ host: '127.0.0.1', port: 7070 })).toBe(command)
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      command.replace('7070', String(up.collector.port)),
    ])
    expect(stdout).toBe('{"ack":1}\n')
    await until('it counts', async () => (await counted(up, 'web')) === 1)
  } finally {
    await up.end('SIGKILL')
    await rm(data, { recursive: true, force: true })
  }
})

test("the README's first command works in a clean clone and prints the three addresses", async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-clone-'))
  const clone = join(dir, 'clone')
  await promisify(execFile)('git', ['clone', '--quiet', ROOT, clone])
  const started = spawn('sh', ['-c', 'npm ci && npm start'], {
    cwd: clone,
    env: { ...environment(), ...settings(join(dir, 'data')) },
    detached: true,
  })
  try {
    let printed = ''
    const addresses = await new Promise<RegExpExecArray>((resolve, reject) => {
      const look = (bytes: Buffer) => {
        printed += bytes
        const found = /pages and API +(http:\S+)\n +agents connect +(\S+)\n +data +(\S+)\n/.exec(printed)
        if (found) resolve(found)
      }
      started.stdout.on('data', look)
      started.stderr.on('data', look)
      started.once('exit', () => reject(new Error(printed)))
    })
    const [, serving, , data] = addresses as unknown as [string, string, string, string]
    expect(data).toBe(join(dir, 'data'))
    expect(await (await fetch(serving)).text()).toContain('<title>Tidemark</title>')
    // This host's own agent reports within seconds.
    let services = ''
    for (let tries = 0; tries < 100 && !services.includes('"tidemark"'); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      services = await (await fetch(`${serving}/v1/services`)).text()
    }
    expect(services).toContain('"service":"tidemark"')
  } finally {
    const ended = new Promise((resolve) => started.once('exit', resolve))
    if (started.exitCode === null) {
      process.kill(-started.pid!, 'SIGINT')
      await ended
    }
    await rm(dir, { recursive: true, force: true })
  }
})
