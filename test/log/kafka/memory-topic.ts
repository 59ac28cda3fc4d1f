import type { Fetched, KafkaClient, ProducedRecord } from '../../../log/kafka/client.ts'

/**
 * A topic in memory, as a client of it. Some produce requests fail: `refused` before they are stored, `lost` after. Two of one
 * partition at a time are an error of whoever sends them.
 */
export class MemoryTopic implements KafkaClient {
  readonly partitions: readonly ProducedRecord[][]
  refused = 0
  lost = 0
  readonly #starts: number[]
  readonly #under = new Set<number>()

  constructor(partitions = 1) {
    this.partitions = Array.from({ length: partitions }, () => [])
    this.#starts = this.partitions.map(() => 0)
  }

  /** The records of partition 0. */
  get stored(): ProducedRecord[] {
    return this.partitions[0]!
  }

  openTopic = async () => this.partitions.length

  async produce(partition: number, records: readonly ProducedRecord[]): Promise<number> {
    if (this.#under.has(partition)) throw new Error('two sends of one partition are under way')
    this.#under.add(partition)
    await Promise.resolve()
    this.#under.delete(partition)
    if (this.refused > 0) {
      this.refused -= 1
      throw new Error('unreachable')
    }
    const stored = this.partitions[partition]!
    const first = stored.length
    stored.push(...records)
    if (this.lost > 0) {
      this.lost -= 1
      throw new Error('no answer')
    }
    return first
  }

  async fetch(partition: number, offset: number): Promise<Fetched> {
    const offsets = this.#offsetsOf(partition)
    if (offset < offsets.first) throw new Error('OFFSET_OUT_OF_RANGE')
    const records = this.partitions[partition]!.map((record, at) => ({ ...record, offset: at })).slice(offset)
    return { records, offsets }
  }

  offsets = async () =>
    new Map(this.partitions.map((_, partition) => [partition, this.#offsetsOf(partition)]))

  #offsetsOf(partition: number) {
    return { first: this.#starts[partition]!, next: this.partitions[partition]!.length }
  }

  async deleteBelow(partition: number, offset: number): Promise<void> {
    this.#starts[partition] = offset
  }

  join = async () => ({ leave: async () => {} })
  close = async () => {}
}
