import type { Backlog, Sample } from '../../agent/backlog.ts'
import type { SpoolContent } from '../../agent/spool/format.ts'

/** Of one host: which samples its spools lost, and which number each was given out under. */
export interface SpoolMemory {
  /** Samples that went for want of room. */
  readonly lost: Set<number>
  /** `agent/seq` → the sample sent under it. */
  readonly sent: Map<string, number>
}

/**
 * What must be true of a spool: each sample that it kept waits, is settled, or is counted as lost; and what is lost for want
 * of room are the oldest. Samples are known by their own numbers.
 */
export class SpoolBook {
  /** Samples that wait, in order. */
  #waiting: number[]
  readonly #memory: SpoolMemory
  readonly #spool: Backlog
  readonly #broken: (error: Error) => void
  #pushing = 0
  #failed = 0
  #lostBefore: number

  /** `held` is what lies in the files: the end of it waits. */
  constructor(
    spool: Backlog,
    held: readonly SpoolContent[],
    { memory, broken }: { memory: SpoolMemory; broken(error: Error): void },
  ) {
    this.#spool = spool
    const records = held.flatMap((file) => file.records)
    this.#waiting = records.slice(records.length - spool.size).map(({ gauges }) => gauges.at(-1)!)
    this.#memory = memory
    this.#broken = broken
    this.#lostBefore = spool.lost
  }

  /** The spool, watched; `kept` is told of each sample that it kept. */
  watched(kept: (number: number) => void): Backlog {
    const push = async (sample: Sample) => {
      this.#pushing += 1
      try {
        await this.#spool.push(sample)
        this.#waiting.push(sample.gauges.at(-1)!)
        kept(sample.gauges.at(-1)!)
      } catch (error) {
        this.#failed += 1
        throw error
      } finally {
        this.#pushing -= 1
        if (this.#pushing === 0) this.#compare()
      }
    }
    const settled = (seq: number) => {
      const before = this.#spool.size
      this.#spool.settled(seq)
      this.#waiting.splice(0, before - this.#spool.size)
    }
    const after = async (seq: number, max: number) => {
      const queued = await this.#spool.after(seq, max)
      for (const { seq, gauges } of queued) this.#noteSent(seq, gauges.at(-1)!)
      return queued
    }
    return new Proxy(this.#spool, {
      get(target, name) {
        if (name === 'push') return push
        if (name === 'settled') return settled
        if (name === 'after') return after
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #noteSent(seq: number, sample: number): void {
    const name = `${this.#spool.agent}/${seq}`
    const before = this.#memory.sent.get(name) ?? sample
    if (before !== sample) this.#broken(new Error(`${name} is sample ${before} and sample ${sample}`))
    this.#memory.sent.set(name, sample)
  }

  #compare(): void {
    const { size, lost } = this.#spool
    const over = Math.max(0, this.#waiting.length - size)
    const gone = this.#waiting.splice(0, over)
    for (const number of gone) this.#memory.lost.add(number)
    const counted = lost - this.#lostBefore
    if (this.#waiting.length !== size)
      this.#broken(new Error(`a spool holds ${size} samples instead of ${this.#waiting.length}`))
    else if (counted !== gone.length + this.#failed)
      this.#broken(new Error(`a spool lost ${gone.length + this.#failed} samples and counted ${counted}`))
    this.#failed = 0
    this.#lostBefore = lost
  }
}
