import { describeError, TidemarkError } from '../../schemas/errors.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { KafkaClient, ProducedRecord } from './client.ts'

/** Blocks and bytes of one request. */
const GROUP_BLOCKS_MAX = 1_000
const GROUP_BYTES_MAX = 1 << 20
/** Time between two tries while the brokers do not answer. */
const RETRY_MS = 500

interface Waiting {
  readonly record: ProducedRecord
  resolve(offset: number): void
  reject(error: Error): void
}

interface Told {
  /** Brokers did not answer, or refused. */
  failed(reason: string): void
  /** A group is durable: so many bytes, the last of its blocks at that offset. Told before the appending side is. */
  acknowledged(bytes: number, last: number): void
}

/**
 * The sends of one partition, one after the other:
 *
 *     append ─▶ queue ─┐
 *     append ─▶ queue ─┼─▶ one request, acks=all ─▶ offsets   (the next leaves when this one is acknowledged)
 *     append ─▶ queue ─┘
 *
 * A group whose answer was lost is sent again whole and unchanged until it is acknowledged: blocks never change places, and a
 * sequence number that a client uses twice always names the same records. It may then stand in the partition twice.
 */
export class Chain {
  readonly #partition: number
  readonly #client: KafkaClient
  readonly #clock: Clock
  readonly #told: Told
  readonly #closing = new AbortController()
  #queue: Waiting[] = []
  #sending: Promise<void> | null = null

  constructor(partition: number, deps: { client: KafkaClient; clock: Clock }, told: Told) {
    this.#partition = partition
    this.#client = deps.client
    this.#clock = deps.clock
    this.#told = told
  }

  append(record: ProducedRecord): Promise<number> {
    if (this.#closing.signal.aborted) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, resolve, reject })
      this.#sending ??= this.#send()
    })
  }

  async #send(): Promise<void> {
    // Whatever is appended in this turn of the event loop goes into the first group.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const group = this.#queue.slice(0, groupSize(this.#queue))
      const first = await this.#untilAcknowledged(group.map(({ record }) => record))
      if (first === null) return
      this.#queue.splice(0, group.length)
      const bytes = group.reduce((sum, { record }) => sum + record.value.length, 0)
      this.#told.acknowledged(bytes, first + group.length - 1)
      group.forEach(({ resolve }, i) => {
        resolve(first + i)
      })
    }
    this.#sending = null
  }

  /** The offset of the first record; null when it was closed before. */
  async #untilAcknowledged(records: readonly ProducedRecord[]): Promise<number | null> {
    for (;;) {
      try {
        return await this.#client.produce(this.#partition, records)
      } catch (error) {
        this.#told.failed(describeError(error))
        if (this.#closing.signal.aborted) return null
        await sleep(this.#clock, RETRY_MS, this.#closing.signal)
        if (this.#closing.signal.aborted) return null
      }
    }
  }

  /** Waits for what is under way; what cannot be sent gets `E_CLOSED`. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#sending
    for (const { reject } of this.#queue.splice(0)) reject(closed())
  }
}

function groupSize(queue: readonly Waiting[]): number {
  let bytes = 0
  let count = 0
  for (const { record } of queue) {
    bytes += record.value.length
    if (count > 0 && (bytes > GROUP_BYTES_MAX || count >= GROUP_BLOCKS_MAX)) break
    count += 1
  }
  return count
}

export function closed(): TidemarkError {
  return new TidemarkError('E_CLOSED', 'the log is closed')
}
