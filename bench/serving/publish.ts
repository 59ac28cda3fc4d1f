import { setTimeout as wait } from 'node:timers/promises'
import { runNow } from '../runs.ts'

/** What questions took while a version was computed, published and loaded. */
export interface WhilePublished {
  /** Whether all of it was computed anew. */
  readonly full: boolean
  /** From the start of the run until an answer stood on its version. */
  readonly loadedMs: number
  readonly runMs: number
  readonly queries: number
  readonly slowestMs: number
  /** Of `/healthz`: what it takes longer than usual, the event loop stood still. */
  readonly slowestHealthMs: number
}

const EVERY_MS = 20
const LOADED_MS_MAX = 600_000
/** Asked for so long behind the switch, for what it leaves behind. */
const AFTER_MS = 500

/** Asks for `paths` in turn, whether or not earlier answers have come, while a run goes on and until it answers. */
export async function askWhilePublished(
  serving: string,
  paths: readonly string[],
  { full }: { readonly full: boolean },
): Promise<WhilePublished> {
  const latencies: number[] = []
  const health: number[] = []
  let version = Number.NEGATIVE_INFINITY
  const open = new Set<Promise<void>>()
  const timed = async (path: string, into: number[], read: (body: { view_version?: number }) => void) => {
    const beforeMs = performance.now()
    const answer = await fetch(`${serving}${path}`)
    const body = (await answer.json()) as { view_version?: number }
    into.push(performance.now() - beforeMs)
    read(body)
  }
  const track = (asked: Promise<void>) => {
    const kept = asked.finally(() => open.delete(kept))
    open.add(kept)
  }
  let asked = 0
  const timer = setInterval(() => {
    const path = paths[asked++ % paths.length]!
    track(timed(path, latencies, ({ view_version = version }) => (version = Math.max(version, view_version))))
    track(timed('/healthz', health, () => {}))
  }, EVERY_MS)
  try {
    while (latencies.length === 0) await wait(EVERY_MS)
    const before = version
    const beforeMs = performance.now()
    const run = await runNow(serving, { full })
    if (!run.result.includes('published')) throw new Error(`the run ended as ${run.result}`)
    while (version === before) {
      if (performance.now() - beforeMs > LOADED_MS_MAX) throw new Error('the version was not loaded')
      await wait(EVERY_MS)
    }
    const loadedMs = performance.now() - beforeMs
    await wait(AFTER_MS)
    clearInterval(timer)
    await Promise.all(open)
    const slowest = (of: readonly number[]) => Math.max(...of)
    return {
      full,
      loadedMs,
      runMs: run.ms,
      queries: latencies.length,
      slowestMs: slowest(latencies),
      slowestHealthMs: slowest(health),
    }
  } finally {
    clearInterval(timer)
  }
}
