import { expect, test } from 'vitest'
import { sealThread } from '../../cli/host/seal-thread.ts'
import { host } from '../../schemas/datasets/host.ts'
import { DATE, sealedFiles } from '../lake/rows.ts'

/** A timer of 10 ms is never later than this while a merge goes on, on a machine that is busy otherwise too. */
const LATE_MS_MAX = 500

test('a large merge holds the main thread up no longer than a moment', async () => {
  const thread = sealThread()
  try {
    const [file] = sealedFiles(1, 50_000) as [Uint8Array]
    const files = Array.from({ length: 8 }, () => file.slice())
    let lateMs = 0
    let lastMs = performance.now()
    const timer = setInterval(() => {
      const nowMs = performance.now()
      lateMs = Math.max(lateMs, nowMs - lastMs - 10)
      lastMs = nowMs
    }, 10)
    const merged = await thread.merge(host, files, DATE).finally(() => clearInterval(timer))
    expect(merged.about.rows).toBe(400_000)
    expect(lateMs).toBeLessThan(LATE_MS_MAX)
  } finally {
    await thread.close()
  }
})
