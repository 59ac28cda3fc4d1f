import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeRandom } from '../../cli/host/random.ts'
import { canMount, MIB, smallDisk } from './small-disk.ts'
import { runCommand, spawnUp } from './up.ts'
import { lastingPort, until } from './watch.ts'

const ROWS = 10_000
const RANGE = 'from=2026-11-20&to=2026-11-24'

/** Values that do not compress well. */
const csv = (rows: number) =>
  `service,host,time_stamp,cpu,ram,disk\n${Array.from({ length: rows }, (_, i) => {
    const time = `2026-11-2${i % 4}T10:${String(Math.floor(i / 60) % 60).padStart(2, '0')}:00Z`
    return `s-${i % 5},h-${i % 3},${time},${((i * 7_919) % 10_007) / 7},${((i * 104_729) % 99_991) / 13},${i % 101}`
  }).join('\n')}\n`

test.runIf(canMount)(
  'on a full disk commands end with a sentence, change nothing and leave nothing, and do all once there is room',
  async () => {
    await using disk = await smallDisk(40 * MIB, 40 * MIB)
    await using elsewhere = await smallDisk(40 * MIB, 40 * MIB)
    const data = join(disk.dir, 'data')
    const [small, big] = [join(elsewhere.dir, 'small.csv'), join(elsewhere.dir, 'big.csv')]
    await writeFile(small, csv(ROWS))
    await writeFile(big, csv(250_000))
    const command = (...args: string[]) => runCommand([...args, '--data', data], 90_000)
    const counted = async () => {
      const { out } = await command('query', 'SELECT count(*) AS n FROM messages', '--format', 'csv')
      return Number(out.trim().split('\n').at(-1))
    }
    /** What a command says on a disk that has `freeBytes`. */
    const onFull = async (freeBytes: number, ...args: string[]) => {
      await disk.fill(freeBytes)
      try {
        return await command(...args)
      } finally {
        await disk.unfill()
      }
    }
    const isFull = { code: 1, err: expect.stringMatching(/E_DISK_FULL|[Nn]o space left/) }
    const [from, to] = ['--from', '--to'].map((flag, i) => [flag, `2026-11-2${i * 4}`]) as [
      string[],
      string[],
    ]

    expect((await command('import', small)).code).toBe(0)
    expect(await counted()).toBe(ROWS)
    expect(await onFull(400_000, 'import', big)).toMatchObject(isFull)
    expect(await readdir(join(data, 'scratch')).catch(() => [])).toEqual([])

    const out = join(disk.dir, 'out.csv')
    expect(await onFull(40_000, 'export', '--messages', ...from, ...to, '--output', out)).toMatchObject(
      isFull,
    )
    expect(await readdir(disk.dir)).not.toContain('out.csv')

    const place = join(disk.dir, 'backup')
    expect(await onFull(200_000, 'backup', place)).toMatchObject(isFull)
    expect((await command('backup', place)).code).toBe(0)
    expect((await command('backup', place, '--verify')).code).toBe(0)

    expect(await onFull(20_000, 'batch', '--once', '--full')).toMatchObject({ code: 1 })
    expect(await onFull(20_000, 'erase', '--host', 'h-1', '--yes')).toMatchObject(isFull)
    expect(await counted()).toBe(ROWS)
    // The one that was begun goes on by itself, before the next.
    expect((await command('erase', '--host', 'h-1', '--yes')).code).toBe(0)
    const left = Array.from({ length: ROWS }, (_, i) => i).filter((i) => i % 3 !== 1).length
    expect(await counted()).toBe(left)
    expect((await command('import', big)).code).toBe(0)
  },
  240_000,
)

test.runIf(canMount)(
  'an index that cannot be made for want of room is said to be missing, and is made once there is room',
  async () => {
    await using disk = await smallDisk(40 * MIB, 40 * MIB)
    const data = join(disk.dir, 'data')
    const file = join(disk.dir, 'small.csv')
    await writeFile(file, csv(ROWS))
    expect((await runCommand(['import', file, '--data', data])).code).toBe(0)
    for (const end of ['', '-wal', '-shm']) await rm(join(data, `index.db${end}`), { force: true })
    // An empty index still fits, what belongs into it does not.
    await disk.fill(260_000)
    // There is no room for its addresses either.
    const port = await lastingPort(() => nodeRandom().float())
    const url = `http://127.0.0.1:${port}`
    const up = spawnUp(data, ['--agent-enabled', 'false', '--serving-listen', `127.0.0.1:${port}`])
    try {
      await until(
        'it answers',
        async () => (await fetch(`${url}/v1/services`).catch(() => null))?.ok === true,
      )
      const stats = async () => {
        const answer = await fetch(`${url}/v1/services/s-1/stats?${RANGE}`)
        return (await answer.json()) as { messages?: number; complete?: boolean }
      }
      expect(await stats()).not.toMatchObject({ complete: true })
      expect((await fetch(`${url}/readyz`)).status).toBe(503)
      await disk.unfill()
      await until('it is whole', async () => (await stats()).complete === true)
      expect((await stats()).messages).toBe(ROWS / 5)
      expect(up.output()).not.toContain('on garbage collection')
    } finally {
      up.child.kill('SIGTERM')
      await up.ended
    }
  },
  120_000,
)
