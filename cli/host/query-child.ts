import { rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Begin } from '../../lake/query/process.ts'

/**
 * The process of one query (query-process.ts). The one that began it ends it, and removes what it leaves; when that one is gone, this
 * one does both.
 */
let begun: Begin | null = null

function endAlone(): never {
  if (begun !== null) {
    const { dir, output } = begun
    rmSync(dir, { recursive: true, force: true })
    if (output !== null) rmSync(output, { force: true })
    try {
      // Of a command whose only query this is; a folder of others is not empty.
      rmdirSync(dirname(dir))
    } catch {
      // The next start of the server removes it.
    }
  }
  // Node's own exit would wait for DuckDB.
  process.kill(process.pid, 'SIGKILL')
  throw new Error('a process that was killed goes on')
}

process.on('disconnect', endAlone)
if (!process.connected) endAlone()
try {
  // Linux takes this one first when there is no memory left.
  writeFileSync('/proc/self/oom_score_adj', '1000')
} catch {
  // Elsewhere there is no such thing.
}
enableCompileCache(fileURLToPath(new URL('../../.cache/compiled', import.meta.url)))
const { answerQuery } = await import('../../lake/query/answering.ts')
const { Calls } = await import('../../schemas/calls.ts')
const calls = new Calls({
  post: (message) => void process.send!(message),
  receive: (fn) => void process.on('message', fn),
})
answerQuery(calls, {
  begun(begin) {
    begun = begin
    // Also what the system writes of a process that fails is then removed.
    process.chdir(begin.dir)
  },
  freeMemory: () => void globalThis.gc?.(),
})
// It is killed, and then keeps nothing.
flushCompileCache()
