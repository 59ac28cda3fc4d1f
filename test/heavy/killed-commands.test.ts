import { watch } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canMount, MIB, smallDisk } from './small-disk.ts'
import { runCommand } from './up.ts'

const FILES = 6
const ROWS = 4_000
const HEAD = 'service,host,time_stamp,cpu,ram,disk'

const row = (i: number, cpu: number) => {
  const time = `2026-11-1${i % 4}T10:${String(Math.floor(i / 60) % 60).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}Z`
  return `s-${i % 5},h-${i},${time},${cpu},${((i * 104_729) % 99_991) / 13},${i % 101}`
}
const csv = (from: number, count: number, cpu: (i: number) => number) =>
  `${HEAD}\n${Array.from({ length: count }, (_, n) => row(from + n, cpu(from + n))).join('\n')}\n`
const cpuOf = (i: number) => (i * 7_919) % 101

const MESSAGES = 'SELECT count(*) AS n, sum(cpu) AS cpu FROM messages'
const CELLS = 'SELECT sum(msg_num) AS n, sum(cpu) AS cpu FROM service_minute'

let dir: string
/** A data directory of many small files, and a backup of it. */
let base: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-killed-'))
  base = join(dir, 'base')
  for (let n = 0; n < FILES; n++) {
    const path = join(dir, `${n}.csv`)
    await writeFile(path, csv(n * ROWS, ROWS, cpuOf))
    expect(await runCommand(['import', path, '--data', base])).toMatchObject({ code: 0 })
  }
  await writeFile(
    join(dir, 'right.csv'),
    csv(0, 2_000, (i) => cpuOf(i) + 1),
  )
  expect(await runCommand(['backup', join(dir, 'backup'), '--data', base])).toMatchObject({ code: 0 })
}, 120_000)
afterAll(() => rm(dir, { recursive: true, force: true }))

async function asked(data: string, sql: string): Promise<string> {
  const { code, out, err } = await runCommand(['query', sql, '--format', 'csv', '--data', data])
  return code === 0 ? out.trim().split('\n').at(-1)! : err
}

/** What must not lie around once a command is over. */
async function leftovers(data: string): Promise<string[]> {
  const names = await readdir(data, { recursive: true })
  return names.filter((name) => /(^|\/)\.tmp-|^scratch\/|\.restoring/.test(name) || name.endsWith('.partial'))
}

/** Aborts at the `n`th change below `root`. */
function changes(root: string, n: number) {
  const killing = new AbortController()
  let seen = 0
  const watcher = watch(root, { recursive: true }, () => {
    if (++seen === n) killing.abort()
  })
  return { signal: killing.signal, [Symbol.dispose]: () => watcher.close() }
}

const N = FILES * ROWS
const sumOf = (cpu: (i: number) => number) =>
  Array.from({ length: N }, (_, i) => cpu(i)).reduce((a, b) => a + b)
const WHOLE = `${N},${sumOf(cpuOf)}`
const RIGHT = `${N},${sumOf((i) => cpuOf(i) + (i < 2_000 ? 1 : 0))}`
/** Without the first `dates` dates of four, which go one by one. */
const without = (dates: number) => {
  const left = Array.from({ length: N }, (_, i) => i).filter((i) => i % 4 >= dates)
  return `${left.length},${left.reduce((sum, i) => sum + cpuOf(i), 0)}`
}

/** What a command says of its failing, beside what it does meanwhile. */
const sentences = (err: string) => err.split('\n').filter((line) => line.startsWith('tidemark: '))

interface Command {
  readonly args: readonly string[]
  /** What messages and cells may say while it is half done, and must say in the end: the last. */
  readonly messages: readonly string[]
  readonly cells: readonly string[]
}

const hoursSince = (time: string) => Math.floor((Date.now() - Date.parse(time)) / 3_600_000)
const COMMANDS: Readonly<Record<string, Command>> = {
  'lake compact': { args: ['lake', 'compact'], messages: [WHOLE], cells: [WHOLE] },
  'lake vacuum': {
    args: ['lake', 'vacuum', '--lake-retention', '1s', '--force'],
    messages: [WHOLE],
    cells: [WHOLE],
  },
  'lake expire': {
    // Dates expire whole, so it is the same whenever the test runs, and while it does.
    args: ['lake', 'expire', '--lake-keep', `${hoursSince('2026-11-13T12:00:00Z')}h`],
    messages: [0, 1, 2, 3].map(without),
    cells: [WHOLE],
  },
  correct: { args: ['correct', 'RIGHT'], messages: [WHOLE, RIGHT], cells: [WHOLE, RIGHT] },
}

/** A copy of the base to work on; a vacuum finds something to remove in it. */
async function prepared(name: string, data: string): Promise<string[]> {
  await rm(data, { recursive: true, force: true })
  await cp(base, data, { recursive: true })
  if (name === 'lake vacuum')
    expect(await runCommand(['lake', 'compact', '--data', data])).toMatchObject({ code: 0 })
  const args = COMMANDS[name]!.args.map((arg) => (arg === 'RIGHT' ? join(dir, 'right.csv') : arg))
  return [...args, '--data', data]
}

test.each(Object.keys(COMMANDS))(
  'killed at any change it makes, tidemark %s loses nothing, and is done the next time',
  async (name) => {
    const { messages, cells } = COMMANDS[name]!
    const data = join(dir, name.replace(' ', '-'))
    const args = await prepared(name, data)
    const sofar: string[] = []
    for (const n of [1, 3, 8, 20, 45]) {
      using killing = changes(data, n)
      const { code } = await runCommand(args, 0, killing.signal)
      const [m, c] = [await asked(data, MESSAGES), await asked(data, CELLS)]
      sofar.push(`${n}: ${code} ${m} ${c}`)
      expect([messages.includes(m), cells.includes(c)], sofar.join('\n')).toEqual([true, true])
    }
    expect(
      sofar.some((line) => line.includes('null')),
      sofar.join('\n'),
    ).toBe(true)
    expect(await runCommand(args)).toMatchObject({ code: 0 })
    expect(await runCommand(['batch', '--once', '--data', data])).toMatchObject({ code: 0 })
    expect([await asked(data, MESSAGES), await asked(data, CELLS)]).toEqual([messages.at(-1), cells.at(-1)])
    expect(await leftovers(data)).toEqual([])
  },
  180_000,
)

test('killed at any change it makes, a restoring leaves no directory, and is done the next time', async () => {
  const parent = join(dir, 'into')
  const data = join(parent, 'data')
  await rm(parent, { recursive: true, force: true })
  await mkdir(parent)
  const args = ['restore', join(dir, 'backup'), '--data', data]
  for (const n of [1, 5, 30, 80]) {
    using killing = changes(parent, n)
    const { code } = await runCommand(args, 0, killing.signal)
    if (code === null) expect(await readdir(data).catch(() => null)).toBeNull()
    // It was over before it was killed.
    else await rm(data, { recursive: true })
  }
  expect(await runCommand(args)).toMatchObject({ code: 0 })
  expect(await readdir(parent)).toEqual(['data'])
  expect([await asked(data, MESSAGES), await asked(data, CELLS)]).toEqual([WHOLE, WHOLE])
}, 120_000)

test('a killed export leaves what was there, and is done the next time', async () => {
  const folder = join(dir, 'exports')
  const out = join(folder, 'out.csv')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  await writeFile(out, 'what was there\n')
  const range = ['--from', '2026-11-10', '--to', '2026-11-14']
  const args = ['export', '--messages', ...range, '--output', out, '--data', base]
  for (const n of [1, 2, 3]) {
    using killing = changes(folder, n)
    const { code } = await runCommand(args, 0, killing.signal)
    if (code === null) expect(await readFile(out, 'utf8')).toBe('what was there\n')
    await writeFile(out, 'what was there\n')
  }
  expect(await runCommand(args)).toMatchObject({ code: 0 })
  expect((await readFile(out, 'utf8')).trim().split('\n')).toHaveLength(N + 1)
  expect(await readdir(folder)).toEqual(['out.csv'])
}, 120_000)

test.runIf(canMount).each(Object.keys(COMMANDS))(
  'on a full disk tidemark %s ends with a sentence and changes no answer, and does all once there is room',
  async (name) => {
    const { messages, cells } = COMMANDS[name]!
    await using disk = await smallDisk(40 * MIB, 40 * MIB)
    const data = join(disk.dir, 'data')
    const args = await prepared(name, data)
    for (const free of [0, 40_000, 150_000]) {
      await disk.fill(free)
      const { code, err } = await runCommand(args)
      if (code !== 0) {
        expect([code, err]).toEqual([1, expect.stringMatching(/E_DISK_FULL|[Nn]o space left|full/)])
        expect(sentences(err), err).toHaveLength(1)
      }
      await disk.unfill()
      const [m, c] = [await asked(data, MESSAGES), await asked(data, CELLS)]
      expect([messages.includes(m), cells.includes(c)], `${free}: ${m} ${c}`).toEqual([true, true])
    }
    expect(await runCommand(args)).toMatchObject({ code: 0 })
    expect(await runCommand(['batch', '--once', '--data', data])).toMatchObject({ code: 0 })
    expect([await asked(data, MESSAGES), await asked(data, CELLS)]).toEqual([messages.at(-1), cells.at(-1)])
    expect(await leftovers(data)).toEqual([])
  },
  180_000,
)

test.runIf(canMount)(
  'on a full disk a restoring ends with a sentence and leaves no directory, and does all once there is room',
  async () => {
    await using disk = await smallDisk(40 * MIB, 40 * MIB)
    const data = join(disk.dir, 'data')
    const args = ['restore', join(dir, 'backup'), '--data', data]
    for (const free of [0, 200_000]) {
      await disk.fill(free)
      const { code, err } = await runCommand(args)
      expect([code, err]).toEqual([1, expect.stringMatching(/E_DISK_FULL/)])
      expect(sentences(err), err).toHaveLength(1)
      expect(await readdir(data).catch(() => null)).toBeNull()
      await disk.unfill()
    }
    expect(await runCommand(args)).toMatchObject({ code: 0 })
    expect(await asked(data, MESSAGES)).toBe(WHOLE)
    expect((await readdir(disk.dir)).sort()).toEqual(['ballast', 'data'])
  },
  120_000,
)
