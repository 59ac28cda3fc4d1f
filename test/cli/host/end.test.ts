import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

/** Keeps a thread of Node's pool at work for some minutes; nothing can interrupt it. */
const AT_WORK = `pbkdf2('', '', 2 ** 31 - 1, 64, 'sha512', () => {})`

test('a process ends with its code while a thread of its pool is at work', async () => {
  const module = new URL('../../../cli/host/end.ts', import.meta.url)
  const script = `import { pbkdf2 } from 'node:crypto'
    import { endProcess } from '${module}'
    process.on('exit', (code) => console.log('exit', code))
    ${AT_WORK}
    setTimeout(() => endProcess(3), 200)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = child.stdout.toArray()
  try {
    expect(await once(child, 'exit')).toEqual([3, null])
    expect(Buffer.concat(await said).toString()).toBe('exit 3\n')
  } finally {
    child.kill('SIGKILL')
  }
}, 20_000)
