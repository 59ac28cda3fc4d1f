import { appendFileSync } from 'node:fs'
import { isMainThread, threadId } from 'node:worker_threads'

/**
 * Loaded with `--import` before a process that a test watches: each of its threads writes to the file `TIDEMARK_TEST_HELD` when
 * its event loop was held for more than 50 ms of processor time, as `<thread> <when> <ms>`.
 */
const WRITTEN_MS_MIN = 50

const usedMs = () => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

const path = process.env.TIDEMARK_TEST_HELD
if (path !== undefined) {
  let last = usedMs()
  const look = () => {
    const now = usedMs()
    const held = now - last
    if (held > WRITTEN_MS_MIN)
      appendFileSync(path, `${isMainThread ? 'main' : threadId} ${Date.now()} ${held}\n`)
    last = usedMs()
  }
  setInterval(look, 1).unref()
}
