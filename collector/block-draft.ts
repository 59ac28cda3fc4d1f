import type { Names } from '../log/names.ts'
import { GAUGES } from '../schemas/gauges.ts'
import type { Columns } from '../schemas/message.ts'
import type { KnownNames, LineDecoder } from './decoder.ts'

/** The messages of the open block, column by column, in memory that is used for every block again. */
export class BlockDraft {
  readonly #service: NameColumn
  readonly #host: NameColumn
  readonly #agents: (string | null)[] = []
  readonly #agentPlaces: Uint16Array
  /** Seq, time and the gauges. */
  readonly #seq: Float64Array
  readonly #timeMs: Float64Array
  readonly #gauges: readonly Float64Array[]
  #length = 0

  constructor(messagesMax: number, names: KnownNames) {
    this.#service = new NameColumn(messagesMax, names.services)
    this.#host = new NameColumn(messagesMax, names.hosts)
    this.#agentPlaces = new Uint16Array(messagesMax)
    this.#seq = new Float64Array(messagesMax)
    this.#timeMs = new Float64Array(messagesMax)
    this.#gauges = GAUGES.map(() => new Float64Array(messagesMax))
  }

  add({ service, host, values }: LineDecoder, agent: string | null): void {
    const i = this.#length++
    this.#service.set(i, service)
    this.#host.set(i, host)
    this.#agentPlaces[i] = this.#placeOfAgent(agent)
    const gauges = this.#gauges
    for (let g = 0; g < gauges.length; g++) gauges[g]![i] = values[g]!
    this.#timeMs[i] = values[gauges.length]!
    this.#seq[i] = values[gauges.length + 1]!
  }

  /** A connection mostly puts in many messages behind each other. */
  #placeOfAgent(agent: string | null): number {
    const agents = this.#agents
    if (agents.length > 0 && agents[agents.length - 1] === agent) return agents.length - 1
    const place = agents.indexOf(agent)
    return place >= 0 ? place : agents.push(agent) - 1
  }

  /** The messages so far; valid until the next one is added. */
  columns(): Columns {
    const length = this.#length
    return {
      length,
      service: this.#service.column(),
      host: this.#host.column(),
      agent: { dictionary: this.#agents, places: this.#agentPlaces },
      seq: this.#seq,
      timeMs: this.#timeMs,
      gauges: this.#gauges,
    }
  }

  clear(): void {
    this.#length = 0
    this.#service.clear()
    this.#host.clear()
    this.#agents.length = 0
  }
}

/** A column of names by their numbers, with a dictionary of those that the block has. */
class NameColumn {
  readonly #names: Names
  readonly #places: Uint16Array
  #dictionary: string[] = []
  /** Per number of a name: its place, and in which block it has it. */
  #placeOf = new Uint16Array(1_024)
  #blockOf = new Int32Array(1_024)
  #block = 1

  constructor(messagesMax: number, names: Names) {
    this.#names = names
    this.#places = new Uint16Array(messagesMax)
  }

  set(i: number, id: number): void {
    this.#places[i] = this.#blockOf[id] === this.#block ? this.#placeOf[id]! : this.#enter(id)
  }

  #enter(id: number): number {
    while (id >= this.#blockOf.length) {
      const [placeOf, blockOf] = [this.#placeOf, this.#blockOf]
      this.#placeOf = new Uint16Array(2 * placeOf.length)
      this.#blockOf = new Int32Array(2 * blockOf.length)
      this.#placeOf.set(placeOf)
      this.#blockOf.set(blockOf)
    }
    const place = this.#dictionary.push(this.#names.text(id)) - 1
    this.#placeOf[id] = place
    this.#blockOf[id] = this.#block
    return place
  }

  column() {
    return { dictionary: this.#dictionary, places: this.#places }
  }

  clear(): void {
    this.#dictionary.length = 0
    this.#block = (this.#block + 1) | 0
  }
}
