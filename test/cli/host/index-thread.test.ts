import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { indexThread } from '../../../cli/host/index-thread.ts'
import { encodeCells } from '../../../lake/parquet/cells.ts'
import { CellFold } from '../../../schemas/cell-fold.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { type Message, toColumns } from '../../../schemas/message.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'

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

test('a file is decoded, and one is made, while the index is filled', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-index-'))
  const loader = indexThread()
  const bytesOf = (keys: number) => {
    const fold = new CellFold(serviceMinute)
    const rows = Array.from({ length: keys }, (_, i): Message => {
      return { names: [`service-${i}`, 'h'], timeMs: i, gauges: [1, 2, 3], agent: null, seq: null }
    })
    fold.addAll(toColumns(host, rows))
    return encodeCells(fold.cells())
  }
  try {
    await loader.open(join(dir, 'index.db'))
    let isFilled = false
    const job = { view: serviceMinute, path: 'a', date: '1970-01-01', minutes: true, bytes: bytesOf(3_000) }
    const filled = loader.fill(job).then(() => {
      isFilled = true
    })
    let answered = 0
    while (!isFilled) {
      expect((await loader.decode(serviceMinute, bytesOf(1))).length).toBe(1)
      await loader.dropParquet(await loader.beginParquet([{ name: 'a', type: 'string', nullable: false }]))
      answered += 1
    }
    await filled
    expect(answered).toBeGreaterThan(10)
    expect((await loader.kept('service_minute', ['a'])).keys.length).toBe(3_000)
  } finally {
    await loader.close()
    await rm(dir, { recursive: true })
  }
})
