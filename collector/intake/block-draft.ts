import type { NameTable } from '../../log/name-table.ts'
import { formOf } from '../../schemas/dataset.ts'
import { grown } from '../../schemas/grown.ts'
import type { Columns } from '../../schemas/message.ts'
import type { DatasetIntake } from './dataset-intake.ts'
import type { Row } from './row.ts'

/** The messages of a dataset's open block, column by column, in memory that is used again for every block. */
export class BlockDraft {
  readonly #intake: DatasetIntake
  readonly #names: readonly NameColumn[]
  readonly #attributes: readonly TextColumn[]
  readonly #agent: TextColumn
  readonly #seq: Float64Array
  readonly #timeMs: Float64Array
  readonly #gauges: readonly Float64Array[]
  #length = 0

  constructor(messagesMax: number, intake: DatasetIntake) {
    this.#intake = intake
    this.#names = intake.names.map((names) => new NameColumn(messagesMax, names))
    this.#attributes = intake.dataset.attributes.map(() => new TextColumn(messagesMax))
    this.#agent = new TextColumn(messagesMax)
    this.#seq = new Float64Array(messagesMax)
    this.#timeMs = new Float64Array(messagesMax)
    this.#gauges = intake.dataset.gauges.map(() => new Float64Array(messagesMax))
  }

  add({ names, attributes, values }: Row, agent: string | null): void {
    const i = this.#length++
    const columns = this.#names
    for (let c = 0; c < columns.length; c++) columns[c]!.set(i, names[c]!)
    for (let c = 0; c < attributes.length; c++) this.#attributes[c]!.set(i, attributes[c]!)
    this.#agent.set(i, agent)
    const gauges = this.#gauges
    for (let g = 0; g < gauges.length; g++) gauges[g]![i] = values[g]!
    this.#timeMs[i] = values[gauges.length]!
    this.#seq[i] = values[gauges.length + 1]!
  }

  /** Returns the messages so far; valid until the next one is added. */
  columns(): Columns {
    return {
      form: formOf(this.#intake.dataset),
      length: this.#length,
      names: this.#names.map((column) => column.column()),
      attributes: this.#attributes.map((column) => column.column()),
      agent: this.#agent.column(),
      seq: this.#seq,
      timeMs: this.#timeMs,
      gauges: this.#gauges,
    }
  }

  clear(): void {
    this.#length = 0
    for (const column of [...this.#names, ...this.#attributes, this.#agent]) column.clear()
  }
}

/** A column of strings, of which most are the same as the one before. */
class TextColumn {
  readonly #places: Uint16Array
  readonly #dictionary: (string | null)[] = []

  constructor(messagesMax: number) {
    this.#places = new Uint16Array(messagesMax)
  }

  set(i: number, text: string | null): void {
    this.#places[i] = this.#placeOf(text)
  }

  #placeOf(text: string | null): number {
    const dictionary = this.#dictionary
    if (dictionary.length > 0 && dictionary[dictionary.length - 1] === text) return dictionary.length - 1
    const place = dictionary.indexOf(text)
    return place >= 0 ? place : dictionary.push(text) - 1
  }

  column() {
    return { dictionary: this.#dictionary, places: this.#places }
  }

  clear(): void {
    this.#dictionary.length = 0
  }
}

/** A column of names by their numbers, with a dictionary of those that the block has. */
class NameColumn {
  readonly #names: NameTable
  readonly #places: Uint16Array
  #dictionary: string[] = []
  /** Per number of a name: its place in the dictionary, and the block in which it has that place. */
  #placeOf = new Uint16Array(1_024)
  #blockOf = new Int32Array(1_024)
  #block = 1

  constructor(messagesMax: number, names: NameTable) {
    this.#names = names
    this.#places = new Uint16Array(messagesMax)
  }

  set(i: number, id: number): void {
    this.#places[i] = this.#blockOf[id] === this.#block ? this.#placeOf[id]! : this.#enter(id)
  }

  #enter(id: number): number {
    while (id >= this.#blockOf.length) {
      this.#placeOf = grown(this.#placeOf)
      this.#blockOf = grown(this.#blockOf)
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
