import { setTimeout as wait } from 'node:timers/promises'
import { ackMs, counted } from '../test/heavy/watch.ts'
import { type Percentiles, percentiles } from './measure.ts'

/** The services that the benchmark itself sends for, one a message. */
export const PROBE = /^probe-\d+$/
const POLL_MS = 10
/** A message that takes longer to be counted is given up. */
const VISIBLE_MS_MAX = 60_000

export interface Freshness {
  /** From a message's acknowledgement until an answer counts it. */
  readonly visibleMs: Percentiles
  /** Messages that no answer counted in a minute. */
  readonly unseen: number
}

/** Sends a message of a service of its own, waits until an answer counts it, and again, until told to stop. */
export function watchFreshness(up: Parameters<typeof counted>[0], port: number, everyMs: number) {
  const visible: number[] = []
  let unseen = 0
  let stopped = false
  async function probe(n: number): Promise<void> {
    const service = `probe-${n}`
    await ackMs(port, service)
    const ackedMs = performance.now()
    while ((await counted(up, service)) === 0) {
      if (performance.now() - ackedMs > VISIBLE_MS_MAX) {
        unseen += 1
        return
      }
      await wait(POLL_MS)
    }
    visible.push(performance.now() - ackedMs)
  }
  const done = (async () => {
    for (let n = 0; !stopped; n++) {
      await probe(n)
      await wait(everyMs)
    }
  })()
  return {
    async stop(): Promise<Freshness> {
      stopped = true
      await done
      return { visibleMs: percentiles(visible), unseen }
    },
  }
}

export function freshnessText({ visibleMs: { p50, p99, max }, unseen }: Freshness): string {
  const times = [p50, p99, max].map((ms) => ms.toFixed(0))
  return `visible ${times[0]} ms (p50), ${times[1]} ms (p99), ${times[2]} ms (max) after its acknowledgement${unseen > 0 ? `; ${unseen} NOT within a minute` : ''}`
}
