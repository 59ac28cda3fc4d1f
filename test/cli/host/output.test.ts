import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { fileOutput, readerOutput } from '../../../cli/host/output.ts'

/** What a stream holds that nobody has read. */
const unread = (stream: PassThrough) => String(stream.read() ?? '')

test('what a reader does not read is lost beyond a limit, and that is said once it reads again', async () => {
  const stream = new PassThrough({ highWaterMark: 1 })
  const log = readerOutput(stream, 1_000)
  for (let i = 0; i < 1_000; i++) log.write(`line ${i}\n`)
  expect(stream.writableLength).toBeLessThan(1_100)
  let text = ''
  stream.on('data', (bytes) => {
    text += bytes
  })
  await log.drained()
  log.write('now\n')
  await log.drained()
  const kept = /^(?:line \d+\n)+/.exec(text)![0].split('\n').length - 1
  expect(text).toMatch(
    new RegExp(`^(line \\d+\\n)+${1_000 - kept} lines of this log were lost: .*\\nnow\\n$`),
  )
})

test('a reader that goes away has all it wanted; another failure is told', async () => {
  for (const [code, failed] of [
    ['EPIPE', false],
    ['EIO', true],
  ] as const) {
    const stream = new PassThrough()
    const out = readerOutput(stream, 1_000)
    out.write('heard\n')
    expect(unread(stream)).toBe('heard\n')
    stream.destroy(Object.assign(new Error(code), { code }))
    await new Promise((resolve) => stream.once('close', resolve))
    out.write('not heard\n')
    await out.drained()
    expect(out.failure() !== null).toBe(failed)
  }
})

test.runIf(process.platform === 'linux')('a file that cannot be written takes nothing, and says why', () => {
  const fd = openSync('/dev/full', 'w')
  const out = fileOutput(fd)
  out.write('one\n')
  out.write('two\n')
  closeSync(fd)
  expect(out.failure()?.code).toBe('ENOSPC')
})

test('a file gets every line', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-output-'))
  const fd = openSync(join(dir, 'log'), 'w')
  const out = fileOutput(fd)
  for (const line of ['one\n', 'zwölf\n']) out.write(line)
  closeSync(fd)
  expect(await readFile(join(dir, 'log'), 'utf8')).toBe('one\nzwölf\n')
  expect(out.failure()).toBe(null)
  await rm(dir, { recursive: true })
})
