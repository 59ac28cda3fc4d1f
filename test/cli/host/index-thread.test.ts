import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { indexThread } from '../../../cli/host/index-thread.ts'

const TIMES = 5

test.runIf(process.platform === 'linux')(
  'the thread of the index ends when it is closed, and begins again when it is asked',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tidemark-index-'))
    const threads = async () => (await readdir('/proc/self/task')).length
    const loader = indexThread()
    const use = async (one: typeof loader) => {
      await one.open(join(dir, 'index.db'))
      expect(await one.filled('service_minute')).toEqual(new Map())
      await one.close()
    }
    await use(loader)
    const before = await threads()
    await use(loader)
    for (let times = 0; times < TIMES; times++) await use(indexThread())
    expect((await threads()) - before).toBeLessThan(TIMES)
    await expect(loader.open(join(dir, 'nowhere', 'index.db'))).rejects.toThrow('directory does not exist')
    await loader.close()
    await rm(dir, { recursive: true })
  },
)
