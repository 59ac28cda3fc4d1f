import { setTimeout as wait } from 'node:timers/promises'
import type { SenderOptions, Sent, Slice } from '../ingest/sender.ts'
import { median } from '../measure.ts'
import { forkWith } from '../process.ts'

/** Messages that arrived while something else was measured. */
export interface Arrived {
  /** Messages a second that were sent. */
  readonly rate: number
  /** Acknowledged: the median second, and the slowest. */
  readonly perSecond: { readonly median: number; readonly least: number }
  /** Of the median second, 99 of 100. */
  readonly ackMs: number
}

const CONNECTIONS = 4
/** What takes longer beside the messages has failed. */
const SECONDS_MAX = 600
const SLICE_SECONDS = 1

/** Sends `rate` messages a second to a collector on loopback until `work` is done. */
export async function whileSending<T>(
  port: number,
  rate: number,
  work: () => Promise<T>,
): Promise<{ done: T; arrived: Arrived }> {
  const options: SenderOptions = {
    port,
    connections: CONNECTIONS,
    rate,
    seconds: SECONDS_MAX,
    acks: 'messages',
    varied: true,
    sliceSeconds: SLICE_SECONDS,
  }
  const sender = forkWith(new URL('../ingest/sender.ts', import.meta.url), options)
  const slices: Slice['slice'][] = []
  sender.on('message', (message: Slice | Sent) => 'slice' in message && slices.push(message.slice))
  const ended = new Promise<never>((_, reject) => {
    sender.once('exit', () => reject(new Error('the sender ended before what is measured beside it')))
  })
  ended.catch(() => {})
  try {
    // The first second is that of the connections.
    while (slices.length === 0) await Promise.race([wait(10), ended])
    const before = slices.length
    const done = await Promise.race([work(), ended])
    while (slices.length === before) await Promise.race([wait(10), ended])
    const acknowledged = slices.slice(before).map((slice) => slice.acknowledged / SLICE_SECONDS)
    return {
      done,
      arrived: {
        rate,
        perSecond: { median: median(acknowledged), least: Math.min(...acknowledged) },
        ackMs: median(slices.slice(before).map(({ latencyMs }) => latencyMs.p99)),
      },
    }
  } finally {
    sender.kill()
  }
}
