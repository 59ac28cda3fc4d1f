import { nameColumns } from '../schemas/dataset.ts'
import type { Columns } from '../schemas/message.ts'
import type { StringColumn } from '../schemas/string-column.ts'
import {
  type BlockDamage,
  Damage,
  isSeq,
  isTime,
  LACKS_VALUE,
  NO_ENTRY,
  NO_NUMBER,
  OTHER_LENGTH,
  orDamage,
} from './block-damage.ts'
import { BLOCK_HEAD_BYTES, NULL_PLACE } from './block-format.ts'
import { BlockMemory } from './block-memory.ts'
import { BlockStrings } from './block-strings.ts'

/** Reads blocks (block-format.ts). Whatever the bytes are, it says so and throws nothing. */
export class BlockDecoder {
  readonly #memory = new BlockMemory()
  readonly #strings = new BlockStrings()

  /**
   * The inverse of `BlockEncoder.encode`. Where the bytes end at a multiple of eight in their memory the columns are views
   * of them, else of a copy.
   */
  decode(bytes: Uint8Array): Columns | BlockDamage {
    return orDamage(() => this.#decode(bytes))
  }

  /** Calls `fn` with each agent of a block and the highest of its numbers; not at all for what is no block. */
  forEachAgent(payload: Uint8Array, fn: (agent: string, seq: number) => void): void {
    const found = orDamage(() => this.#agents(payload))
    if ('damage' in found) return
    for (const [place, agent] of found.agents.entries()) {
      const seq = found.highest[place]!
      if (seq > 0) fn(agent, seq)
    }
  }

  #decode(bytes: Uint8Array): Columns {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const n = view.getUint16(0, true)
    const at = { byte: BLOCK_HEAD_BYTES + view.getUint16(2, true) }
    const form = this.#strings.form(bytes, at.byte)
    const names = nameColumns(form).length
    const texts = names + form.attributes.length + 1
    const dictionaries = Array.from({ length: texts }, () => this.#dictionary(view, at))
    if (bytes.length - at.byte !== 2 * texts * n + 8 * (2 + form.gauges.length) * n)
      throw new Damage(OTHER_LENGTH)
    const inPlace = (bytes.byteOffset + bytes.length) % 8 === 0
    const columns = inPlace ? bytes.subarray(at.byte) : this.#memory.copy(bytes.subarray(at.byte))
    const { buffer, byteOffset } = columns
    const doubles = byteOffset + 2 * texts * n
    const doublesAt = (nth: number) => new Float64Array(buffer, doubles + 8 * nth * n, n)
    const all = dictionaries.map((dictionary, nth) =>
      columnOf(dictionary, new Uint16Array(buffer, byteOffset + 2 * nth * n, n), nth >= names, inPlace),
    )
    return {
      form,
      length: n,
      names: all.slice(0, names) as StringColumn[],
      attributes: all.slice(names, -1),
      agent: all.at(-1)!,
      seq: checked(doublesAt(0), isSeq),
      timeMs: checked(doublesAt(1), isTime),
      gauges: form.gauges.map((_, g) => doublesAt(2 + g)),
    }
  }

  #agents(payload: Uint8Array): { agents: string[]; highest: Float64Array } {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
    const n = view.getUint16(0, true)
    const at = { byte: BLOCK_HEAD_BYTES + view.getUint16(2, true) }
    const form = this.#strings.form(payload, at.byte)
    const before = nameColumns(form).length + form.attributes.length
    for (let column = 0; column < before; column++) skipDictionary(view, at)
    const agents = this.#dictionary(view, at)
    const highest = new Float64Array(agents.length)
    const places = at.byte + 2 * before * n
    const seqs = places + 2 * n
    for (let i = 0; i < n && agents.length > 0; i++) {
      const place = view.getUint16(places + 2 * i, true)
      const seq = view.getFloat64(seqs + 8 * i, true)
      if (place < agents.length && isSeq(seq) && seq > highest[place]!) highest[place] = seq
    }
    return { agents, highest }
  }

  #dictionary(view: DataView, at: { byte: number }): string[] {
    const count = view.getUint16(at.byte, true)
    const entries: string[] = []
    let from = at.byte + 2
    for (let i = 0; i < count; i++) {
      const to = from + 2 + view.getUint16(from, true)
      entries.push(this.#strings.text(view, from + 2, to, view.byteLength))
      from = to
    }
    at.byte = from
    return entries
  }
}

function skipDictionary(view: DataView, at: { byte: number }): void {
  const count = view.getUint16(at.byte, true)
  at.byte += 2
  for (let i = 0; i < count; i++) at.byte += 2 + view.getUint16(at.byte, true)
}

/** A column whose places of null, where they are allowed, are those of an entry of its dictionary. */
function columnOf(
  dictionary: string[],
  places: Uint16Array<ArrayBufferLike>,
  nullable: boolean,
  inPlace: boolean,
): StringColumn<string | null> {
  let nulls = 0
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!
    if (place === NULL_PLACE) nulls += 1
    else if (place >= dictionary.length) throw new Damage(NO_ENTRY)
  }
  if (nulls === 0) return { dictionary, places }
  if (!nullable) throw new Damage(LACKS_VALUE)
  // The memory of a block that is read where it lies is not ours to change.
  const own = inPlace ? places.slice() : places
  for (let i = 0; i < own.length; i++) if (own[i] === NULL_PLACE) own[i] = dictionary.length
  return { dictionary: [...dictionary, null], places: own }
}

function checked(values: Float64Array, isRight: (value: number) => boolean): Float64Array {
  for (let i = 0; i < values.length; i++) if (!isRight(values[i]!)) throw new Damage(NO_NUMBER)
  return values
}
