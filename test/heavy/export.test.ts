import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ENTRY, runCommand, startUp } from './up.ts'

/** What goes out of a lake and into another. */

const DAY = '2026-11-22'
const NAMES = ['web', '#comment', 'a,b;c', 'say "no"', 'ends\\', '漢字 🚀', 'a/b%2F=c.d', "o'hara", 'NULL']
const ROWS = 20_000

function lines(): string {
  return Array.from({ length: ROWS }, (_, i) => {
    const service = NAMES[i % NAMES.length]!
    const time_stamp = Date.parse(DAY) + i * 3_001
    // Sums of them are exact, in whatever order.
    const [cpu, ram] = [(i % 101) / 4, (i % 7) / 1_024]
    return JSON.stringify({ service, host: `h-${i % 11}`, time_stamp, cpu, ram, disk: i % 100 })
  }).join('\n')
}

interface Answer {
  readonly services?: readonly Record<string, unknown>[]
  readonly points?: unknown
}

/** What the API says of every service and host of the days, on a process started for it. */
async function answers(data: string): Promise<unknown> {
  const up = await startUp(data, ['--agent-enabled', 'false'])
  try {
    const range = `from=${DAY}&to=2026-11-24`
    const ask = async (path: string) => (await (await fetch(`${up.serving}${path}`)).json()) as Answer
    const { services } = await ask(`/v1/analytics?${range}`)
    expect(services).toHaveLength(NAMES.length)
    const series = `view=host_minute&${range}&step=1h`
    const { points } = await ask(`/v1/series?gauge=cpu&host=h-3&service=web&${series}`)
    // Where the layers met is another matter.
    const figures = services!.map(({ service, messages, cpu, ram, disk }) => [
      service,
      messages,
      cpu,
      ram,
      disk,
    ])
    return { figures, points }
  } finally {
    await up.end('SIGTERM')
  }
}

test('an export of messages, imported elsewhere, answers the same', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-export-test-'))
  const data = join(dir, 'data')
  const exporting = (...args: string[]) => runCommand(['export', ...args, '--data', data])
  try {
    const up = await startUp(data, ['--agent-enabled', 'false'])
    await new Promise((resolve, reject) => {
      const socket = connect(up.collector.port, '127.0.0.1', () => socket.end(`${lines()}\n`))
      socket.resume().on('end', resolve).on('error', reject)
    })
    const early = await exporting('--messages', '--format', 'csv')
    expect(early).toMatchObject({ code: 0, err: expect.stringMatching(/newer messages come with the next/) })
    expect((await runCommand(['batch', '--once', '--data', data])).code).toBe(0)
    const beside = await exporting('--messages', '--where', 'service=#comment', '--format', 'ndjson')
    expect(
      beside.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).service),
    ).toEqual(Array(Math.ceil((ROWS - 1) / NAMES.length)).fill('#comment'))
    await up.end('SIGTERM')
    const expected = await answers(data)
    for (const format of ['parquet', 'csv', 'ndjson']) {
      const path = join(dir, `all.${format}`)
      await writeFile(path, 'what was there before')
      const exported = await exporting('--messages', '--output', path)
      expect(exported).toMatchObject({
        code: 0,
        err: expect.stringContaining(`${ROWS.toLocaleString('en')} rows of messages`),
      })
      const fresh = join(dir, `fresh-${format}`)
      const imported = await runCommand(['import', path, '--data', fresh])
      expect(imported).toMatchObject({ code: 0, out: expect.stringContaining('20,000 rows taken') })
      expect(imported.err).not.toContain('guess')
      expect([format, await answers(fresh)]).toEqual([format, expected])
    }
    // Who wants the first rows alone is not told of others.
    const first = spawnSync('bash', [
      '-c',
      `"${process.execPath}" "${ENTRY}" export --messages --data "${data}" | head -1`,
    ])
    expect([String(first.stdout), String(first.stderr)]).toEqual([
      expect.stringMatching(/^"service".*\n$/),
      '',
    ])
    const half = ['--messages', '--from', `${DAY}T06:00:00Z`, '--to', `${DAY}T06:00:10Z`]
    expect((await exporting(...half)).out).toMatch(
      /^"service","host",time_stamp,cpu,ram,disk,agent,seq\n("[^\n]+\n){3}$/,
    )
    const minutes = join(dir, 'minutes.csv')
    expect(await exporting('--view', 'service_minute', '--output', minutes)).toMatchObject({
      code: 0,
      err: expect.stringMatching(
        /accepted up to 20.*Z and imports, what came since is missing, until the next/,
      ),
    })
    // Sums of many messages are no messages.
    const back = await runCommand(['import', minutes, '--yes', '--data', join(dir, 'back')])
    expect([back.code, back.err]).toEqual([2, expect.stringMatching(/those of a view .* export --messages/)])
    const [head, ...rows] = (await readFile(minutes, 'utf8')).trim().split('\n')
    const count = head!.split(',').indexOf('msg_num')
    expect(head).toContain('"service",time_stamp,cpu,ram,disk')
    expect(
      rows.filter((row) => row.startsWith('"web"')).reduce((n, row) => n + Number(row.split(',')[count]), 0),
    ).toBe(Math.ceil(ROWS / NAMES.length))
    expect((await readdir(dir)).filter((name) => name.endsWith('.part'))).toEqual([])
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('an export that cannot be is refused with a sentence, and leaves what was there', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-export-test-'))
  const data = join(dir, 'data')
  try {
    const csv = join(dir, 'a.csv')
    await writeFile(csv, `service,time_stamp,cpu,ram,disk\nweb,${DAY}T10:00:00Z,1,2,3\n`)
    await runCommand(['import', csv, '--data', data])
    const before = createHash('sha256')
      .update(await readFile(csv))
      .digest('hex')
    const refused: [string[], RegExp][] = [
      [[], /say --messages or --view NAME/],
      [['--view', 'nothing'], /there is no view nothing; there are service_minute/],
      [['--messages', '--dataset', 'x'], /there is no dataset x; there are host/],
      [['--messages', '--where', 'cpu=1'], /--where cpu: messages can be asked by service, host/],
      [['--messages', '--output', dir], /is a folder/],
      [['--messages', '--output', join(dir, 'a.xlsx')], /Say --format/],
      [['--messages', '--from', '2026-11-22', '--to', '2026-11-21'], /--to must not be before/],
      [['--messages', '--output', join(dir, 'no/a.csv')], /no\/a\.csv/],
    ]
    for (const [args, said] of refused) {
      const { code, err } = await runCommand(['export', ...args, '--data', data])
      expect([args, code === 0, err.trim().split('\n').length]).toEqual([args, false, 1])
      expect(err).toMatch(said)
    }
    const lake = join(data, 'lake/messages', `date=${DAY}`)
    const [file] = await readdir(lake)
    await writeFile(join(lake, file!), 'damage')
    const { code, err } = await runCommand(['export', '--messages', '--output', csv, '--data', data])
    expect([code, err]).toEqual([1, expect.stringMatching(/is damaged/)])
    expect(
      createHash('sha256')
        .update(await readFile(csv))
        .digest('hex'),
    ).toBe(before)
    await mkdir(join(dir, 'empty'))
    const none = await runCommand(['export', '--messages', '--data', join(dir, 'empty')])
    expect(none).toMatchObject({ code: 0, out: expect.stringMatching(/^"service","host",time_stamp/) })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
