import { type Percentiles, percentiles } from './measure.ts'

/** A query that takes longer has failed. */
const QUERY_MS_MAX = 30_000

export interface QueryTimes {
  readonly answered: number
  readonly failed: number
  readonly latencyMs: Percentiles
}

/** Asks for the stats of a service again and again, whether or not the last answer has come, until told to stop. */
export function startQueries(serving: string, service: string, everyMs: number) {
  const latencies: number[] = []
  let failed = 0
  const open = new Set<Promise<void>>()
  const ask = async () => {
    const beforeMs = performance.now()
    const signal = AbortSignal.timeout(QUERY_MS_MAX)
    const text = await fetch(`${serving}/v1/services/${service}/stats`, { signal })
      .then(async (answer) => (answer.ok ? await answer.text() : null))
      .catch(() => null)
    if (text === null) failed += 1
    else latencies.push(performance.now() - beforeMs)
  }
  const askOnce = () => {
    const asked = ask().finally(() => open.delete(asked))
    open.add(asked)
  }
  askOnce()
  const timer = setInterval(askOnce, everyMs)
  return {
    async stop(): Promise<QueryTimes> {
      clearInterval(timer)
      await Promise.all(open)
      return { answered: latencies.length, failed, latencyMs: percentiles(latencies) }
    },
  }
}
