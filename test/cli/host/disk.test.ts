import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { SimDisk } from '../../sim/disk.ts'

/** The simulated disk must behave like the real one wherever nothing fails. */
const KINDS = { real: nodeDisk, simulated: () => new SimDisk(1) } as const

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-disk-'))
})
afterEach(() => rm(dir, { recursive: true }))

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: bytes are read back where they were written`, async () => {
    const disk = make()
    await disk.makeDir(`${dir}/a/b`)
    const file = await disk.open(`${dir}/a/b/f`, { create: true })
    await file.write(0, Buffer.from('hello world'))
    await file.write(6, Buffer.from('there'))
    await file.sync()
    expect(Buffer.from(await file.read(0, 100)).toString()).toBe('hello there')
    await file.truncate(5)
    expect([await file.size(), (await disk.stat(`${dir}/a/b/f`))?.size]).toEqual([5, 5])
    await file.close()
    const again = (await disk.open(`${dir}/a/b/f`))!
    expect(Buffer.from(await again.read(1, 3)).toString()).toBe('ell')
    await again.close()
    await disk.syncDir(`${dir}/a/b`)
    expect(await disk.list(`${dir}/a`)).toEqual(['b'])
  })

  test(`${kind}: absent is null, a link loses to what exists, a rename replaces`, async () => {
    const disk = make()
    expect([
      await disk.open(`${dir}/x`),
      await disk.readFile(`${dir}/x`),
      await disk.stat(`${dir}/x`),
    ]).toEqual([null, null, null])
    expect(await disk.list(`${dir}/none`)).toEqual([])
    await disk.remove(`${dir}/x`)
    for (const name of ['one', 'two']) {
      const file = await disk.open(`${dir}/${name}`, { create: true })
      await file.write(0, Buffer.from(name))
      await file.close()
    }
    expect(await disk.link(`${dir}/one`, `${dir}/two`)).toBe(false)
    expect(await disk.link(`${dir}/one`, `${dir}/three`)).toBe(true)
    await disk.rename(`${dir}/one`, `${dir}/two`)
    expect(Buffer.from((await disk.readFile(`${dir}/two`))!).toString()).toBe('one')
    expect(await disk.list(dir)).toEqual(['three', 'two'])
  })

  test(`${kind}: a lock names its holder and can be taken again once released`, async () => {
    const disk = make()
    const held = await disk.lock(`${dir}/lock`, 'process 1')
    await expect(disk.lock(`${dir}/lock`, 'process 2')).rejects.toMatchObject({
      code: 'E_LOCKED',
      message: expect.stringMatching(/process 1/),
    })
    await held.release()
    await (await disk.lock(`${dir}/lock`, 'process 2')).release()
  })
}

test('what the disk refuses is a listed error that names the path', async () => {
  const disk = nodeDisk()
  await (await disk.open(`${dir}/file`, { create: true })).close()
  const refused = disk.makeDir(`${dir}/file/below`)
  await expect(refused).rejects.toMatchObject({
    code: 'E_DISK',
    message: expect.stringMatching(/file.below/),
  })
})

test('a lock that something else was written to says that it can go', async () => {
  await writeFile(`${dir}/lock`, 'x'.repeat(4096))
  const error = await nodeDisk()
    .lock(`${dir}/lock`, 'me')
    .catch((reason) => reason)
  expect([error.code, error.message]).toEqual(['E_DISK', `${dir}/lock is damaged`])
  expect(error.hint).toMatch(/delete it/)
})

test('the lock of a process that was killed is free, and names it until then', async () => {
  const lock = new URL('../../../cli/host/lock.ts', import.meta.url)
  const script = `import { lockFile } from '${lock}'
    await lockFile('${dir}/lock', 'process ' + process.pid)
    console.log('held')
    setInterval(() => {}, 1_000)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script])
  try {
    let warned = ''
    holder.stderr.on('data', (bytes) => {
      warned += bytes
    })
    await once(holder.stdout, 'data')
    await expect(nodeDisk().lock(`${dir}/lock`, 'me')).rejects.toMatchObject({
      code: 'E_LOCKED',
      message: expect.stringMatching(`process ${holder.pid}`),
    })
    expect(warned).toBe('')
  } finally {
    holder.kill('SIGKILL')
    await once(holder, 'exit')
  }
  await (await nodeDisk().lock(`${dir}/lock`, 'me')).release()
})

test('real: folders are made one in another, and what stands in their way is named at once', async () => {
  const disk = nodeDisk()
  await Promise.all([disk.makeDir(`${dir}/a/b/c`), disk.makeDir(`${dir}/a/b/c`)])
  await disk.makeDir(`${dir}/a/b/c`)
  expect(await disk.stat(`${dir}/a/b/c`)).toMatchObject({ isFolder: true })
  await (await disk.open(`${dir}/file`, { create: true })).close()
  await symlink(`${dir}/nothing`, `${dir}/link`)
  for (const [path, named] of [
    [`${dir}/file`, `${dir}/file is a file`],
    [`${dir}/file/below`, `${dir}/file/below: ENOTDIR`],
    [`${dir}/link`, `${dir}/link: EEXIST`],
    [`${dir}/link/below`, `${dir}/link: EEXIST`],
  ] as const)
    await expect(disk.makeDir(path)).rejects.toThrow(named)
})

test.runIf(process.platform === 'linux')(
  'real: a folder that says it is absent when one is made in it is an error at once',
  async () => {
    await expect(nodeDisk().makeDir('/proc/nothing/below')).rejects.toThrow('/proc/nothing: ENOENT')
  },
)
