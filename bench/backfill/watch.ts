import { setTimeout as wait } from 'node:timers/promises'

/** What answers said while a back-fill came in. */
export interface Watched {
  /** From the last acknowledgement until an answer over all services held every message. */
  readonly wholeMs: number
  /** Answers asked for longer than the freshness bound after it, that lacked messages and said that they were complete. */
  readonly untrue: number
  /** Of those the fewest messages that one held, of as many as it should. */
  readonly fewest: { readonly held: number; readonly of: number } | null
  readonly queries: number
  readonly slowestMs: number
  readonly slowestHealthMs: number
}

/** An answer holds what was accepted longer ago. */
const FRESH_MS = 1_000
const QUERY_EVERY_MS = 100
const HEALTH_EVERY_MS = 20
const PAUSE_MS = 50
const WHOLE_MS_MAX = 300_000

interface Stats {
  readonly messages: number
  readonly complete?: boolean
}

export interface WatchOptions {
  readonly serving: string
  readonly range: string
  /** By name; each is to have as many messages. */
  readonly services: readonly string[]
  readonly messagesEach: number
}

/**
 * Asks for the stats of the services in turn, whether or not earlier answers have come, and for `/healthz`; and for all services, one
 * answer after the other. `acked` is to be called when the last message is acknowledged; `done` resolves when an answer holds all.
 */
export function watchAnswers({ serving, range, services, messagesEach }: WatchOptions) {
  const latencies: number[] = []
  const health: number[] = []
  const open = new Set<Promise<void>>()
  let ackedAtMs = Number.POSITIVE_INFINITY
  let untrue = 0
  let fewest: Watched['fewest'] = null

  /** The body of an answer that came; null for a service that is not known yet. */
  async function ask<T>(path: string, into: number[]): Promise<T | null> {
    const beforeMs = performance.now()
    const answer = await fetch(`${serving}${path}`)
    const body = (await answer.json()) as T
    into.push(performance.now() - beforeMs)
    return answer.ok ? body : null
  }

  /** Notes an answer that should have held `expected` messages and says, untruly, that it is complete. */
  function judge(askedAtMs: number, held: number, expected: number, complete: boolean | undefined) {
    if (askedAtMs < ackedAtMs + FRESH_MS || held >= expected || complete !== true) return
    untrue += 1
    if (fewest === null || held / expected < fewest.held / fewest.of) fewest = { held, of: expected }
  }

  async function askOne(service: string) {
    const atMs = performance.now()
    const stats = await ask<Stats>(`/v1/services/${service}/stats?${range}`, latencies)
    if (stats !== null) judge(atMs, stats.messages, messagesEach, stats.complete)
  }

  async function askAll(): Promise<number> {
    const atMs = performance.now()
    const all = await ask<{ services: Stats[]; complete?: boolean }>(`/v1/analytics?${range}`, latencies)
    const rows = all?.services ?? []
    const held = rows.reduce((sum, { messages }) => sum + messages, 0)
    const said = [all?.complete, ...rows.map(({ complete }) => complete)].filter((one) => one !== undefined)
    const complete = said.length > 0 && said.every((one) => one)
    judge(atMs, held, services.length * messagesEach, complete)
    return held
  }

  const track = (asked: Promise<unknown>) => {
    const kept = asked.then(() => {}).finally(() => open.delete(kept))
    open.add(kept)
  }
  let asked = 0
  const timers = [
    setInterval(() => track(askOne(services[asked++ % services.length]!)), QUERY_EVERY_MS),
    setInterval(() => track(ask('/healthz', health)), HEALTH_EVERY_MS),
  ]
  return {
    acked() {
      ackedAtMs = performance.now()
    },
    async done(): Promise<Watched> {
      try {
        while ((await askAll()) < services.length * messagesEach) {
          if (performance.now() > ackedAtMs + WHOLE_MS_MAX)
            throw new Error('no answer held the whole back-fill')
          await wait(PAUSE_MS)
        }
        const wholeMs = performance.now() - ackedAtMs
        for (const timer of timers) clearInterval(timer)
        await Promise.all(open)
        return {
          wholeMs,
          untrue,
          fewest,
          queries: latencies.length,
          slowestMs: Math.max(...latencies),
          slowestHealthMs: Math.max(...health),
        }
      } finally {
        for (const timer of timers) clearInterval(timer)
      }
    },
  }
}
