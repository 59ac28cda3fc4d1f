import { setTimeout as wait } from 'node:timers/promises'

/** A run as its starter saw it. */
export interface RunSeen {
  readonly ms: number
  /** `published`, or what else its record says. */
  readonly result: string
}

/** Starts a run every so often, the next one after the last has ended, until stopped. */
export function keepRunning(serving: string, everyMs: number) {
  const runs: RunSeen[] = []
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const beforeMs = performance.now()
      const answer = await fetch(`${serving}/v1/runs`, { method: 'POST' })
      const { result, title } = (await answer.json()) as { result?: string; title?: string }
      const ms = performance.now() - beforeMs
      runs.push({ ms, result: result ?? title ?? `status ${answer.status}` })
      await wait(Math.max(0, everyMs - ms), null, { signal: stopping.signal }).catch(() => {})
    }
  })()
  return {
    /** Waits for the run that is going on. */
    async stop(): Promise<readonly RunSeen[]> {
      stopping.abort()
      await running
      return runs
    },
  }
}
