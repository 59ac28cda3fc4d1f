import type { Backlog, Queued, Sample } from './backlog.ts'

/** A backlog in memory, for an agent without a folder of its own: what is not sent is lost with the process. */
export class MessageQueue implements Backlog {
  readonly #max: number
  #queued: Queued[] = []
  #nextSeq = 1
  agent: string
  lost = 0

  constructor(max: number, agent: string) {
    this.#max = max
    this.agent = agent
  }

  get size(): number {
    return this.#queued.length
  }

  get highestSeq(): number {
    return this.#nextSeq - 1
  }

  async push(sample: Sample): Promise<void> {
    this.#queued.push({ ...sample, seq: this.#nextSeq++ })
    if (this.#queued.length <= this.#max) return
    this.#queued.shift()
    this.lost += 1
  }

  async after(seq: number, max: number): Promise<readonly Queued[]> {
    const from = this.#queued.findIndex((queued) => queued.seq > seq)
    return from < 0 ? [] : this.#queued.slice(from, from + max)
  }

  told(): void {}

  settled(seq: number): void {
    const keep = this.#queued.findIndex((queued) => queued.seq > seq)
    this.#queued = keep < 0 ? [] : this.#queued.slice(keep)
  }

  async renumber(agent: string): Promise<void> {
    this.agent = agent
    this.#queued = this.#queued.map((queued, i) => ({ ...queued, seq: i + 1 }))
    this.#nextSeq = this.#queued.length + 1
  }

  async close(): Promise<void> {}
}
