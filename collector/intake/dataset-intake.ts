import { NAMES_FULL, NameTable } from '../../log/name-table.ts'
import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import type { Message } from '../../schemas/message.ts'
import { NAME_KEPT_HOURS } from './limits.ts'
import { Row } from './row.ts'

/** How many distinct names may be known at once. */
export interface NameLimits {
  /** Of each key. */
  readonly servicesMax: number
  /** Of the source. */
  readonly hostsMax: number
}

/** A name that is one too many. */
export interface TooMany {
  readonly code: 'E_SERVICES_MAX' | 'E_HOSTS_MAX'
  readonly dataset: string
  readonly column: string
  readonly name: string
  /** The setting that says how many there may be. */
  readonly setting: 'collector.services_max' | 'collector.hosts_max'
}

/** One dataset on the way into blocks: the names that its messages had, and the row that a protocol fills. */
export class DatasetIntake {
  readonly dataset: Dataset
  /** The names seen, each with its number, in the order of `nameColumns`. */
  readonly names: readonly NameTable[]
  readonly row: Row

  constructor(dataset: Dataset, { servicesMax, hostsMax }: NameLimits) {
    this.dataset = dataset
    this.names = nameColumns(dataset).map(
      (name) => new NameTable(name === dataset.source ? hostsMax : servicesMax),
    )
    this.row = new Row(dataset)
  }

  /** Sets the hour, since 1970, in which names are seen from now on. */
  set hour(hour: number) {
    for (const names of this.names) names.now = hour
  }

  /** Fills the row with a message. Returns the name that is one too many, null when there is none. */
  fill({ names, timeMs, gauges, attributes, seq }: Message): TooMany | null {
    for (const [c, name] of names.entries()) {
      const id = this.names[c]!.idOf(name)
      if (id === NAMES_FULL) return this.#tooMany(c, name)
      this.row.names[c] = id
    }
    for (const [g, value] of gauges.entries()) this.row.values[g] = value
    for (const c of this.row.attributes.keys()) this.row.attributes[c] = attributes?.[c] ?? null
    this.row.values[gauges.length] = timeMs
    this.row.values[gauges.length + 1] = seq ?? 0
    return null
  }

  #tooMany(c: number, name: string): TooMany {
    const dataset = this.dataset.name
    const column = nameColumns(this.dataset)[c]!
    return column === this.dataset.source
      ? { code: 'E_HOSTS_MAX', dataset, column, name, setting: 'collector.hosts_max' }
      : { code: 'E_SERVICES_MAX', dataset, column, name, setting: 'collector.services_max' }
  }

  /** Gives places to names of a column, as many as there is room for; they are seen now. */
  learn(column: string, names: readonly string[]): void {
    const known = this.names[nameColumns(this.dataset).indexOf(column)]
    for (const name of known === undefined ? [] : names) if (known!.idOf(name) === NAMES_FULL) return
  }

  /** Forgets names not seen for a day. Returns whether there were any: then all names have other numbers. */
  forgetOld(hour: number): boolean {
    return this.names.map((names) => names.forget(hour - NAME_KEPT_HOURS)).includes(true)
  }
}
