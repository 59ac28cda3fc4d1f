import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommand, startUp } from './up.ts'
import { until } from './watch.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-correct-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text)
  return join(dir, name)
}

const HEAD = 'service,host,time_stamp,cpu,ram,disk,agent,seq\n'

test('a file corrects what it names, by number and by time, beside `up` and alone, and once', async () => {
  const tidemark = (...args: string[]) => runCommand([...args, '--data', join(dir, 'data')])
  const history = `${HEAD}web,h1,2026-11-22T10:00:00Z,1,2,3,a,1\nweb,h2,2026-11-22T11:00:00Z,2,2,3,,\nweb,h3,2026-11-22T12:00:00Z,4,2,3,,\n`
  expect((await tidemark('import', await file('history.csv', history), '--yes')).code).toBe(0)
  const first = await file(
    'first.csv',
    `${HEAD}shop,h1,2026-11-22T10:30:00Z,100,2,3,a,1\nweb,h2,2026-11-22T11:00:00Z,x,2,3,,\nweb,h9,2026-11-22T11:00:00Z,5,2,3,,\n`,
  )
  const made = await tidemark('correct', first)
  expect(made).toMatchObject({
    code: 1,
    out: expect.stringContaining('first.csv: 1 row corrected in 1 file'),
  })
  expect(made.out).toContain('cpu is no number (the first is row 2)')
  expect(made.out).toContain('row 3 names no message')
  expect(await tidemark('correct', first)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/made already/),
  })

  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false'])
  try {
    const second = await file(
      'second.csv',
      'service,host,time_stamp,cpu,ram,disk\nweb,h2,2026-11-22T11:00:00Z,50,2,3\n',
    )
    expect(await tidemark('correct', second)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/published/),
    })
    const stats = async () => {
      const answer = await fetch(`${up.serving}/v1/analytics?from=2026-11-22&to=2026-11-23`)
      const { services } = (await answer.json()) as {
        services: { service: string; messages: number; cpu: { total: number; max_time: string } }[]
      }
      return services.map(({ service, messages, cpu }) => [service, messages, cpu.total, cpu.max_time])
    }
    const wanted = [
      ['shop', 1, 100, '2026-11-22T10:30:00.000Z'],
      ['web', 2, 54, '2026-11-22T11:00:00.000Z'],
    ]
    await until('answers are corrected', async () => JSON.stringify(await stats()) === JSON.stringify(wanted))
    expect((await tidemark('batch', '--once', '--full')).code).toBe(0)
    expect(await stats()).toEqual(wanted)
  } finally {
    await up.end('SIGTERM')
  }
  const audit = await tidemark('lake', 'audit', '--format', 'json')
  expect(audit.out.match(/"what":"correct"/g)).toHaveLength(2)
})
