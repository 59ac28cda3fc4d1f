import { type MessageForm, nameColumns, parseForm } from '../schemas/dataset.ts'
import type { Columns } from '../schemas/message.ts'
import type { StringColumn } from '../schemas/string-column.ts'
import { BLOCK_HEAD_BYTES, NULL_PLACE } from './block-format.ts'
import { BlockMemory } from './block-memory.ts'
import { hashName, NAMES_FULL, Names } from './names.ts'

/** What is said of bytes that are no block. */
export interface BlockDamage {
  readonly damage: string
}

/** Distinct strings kept, so that each is made once for many blocks; when there are more, all are made anew. */
const NAMES_MAX = 65_536
/** Forms kept likewise. */
const FORMS_MAX = 1_000
/** The furthest time from 1970 that a date can have, in milliseconds. */
const TIME_MS_MAX = 8.64e15

/** Reads blocks (block-format.ts). Whatever the bytes are, it says so and throws nothing. */
export class BlockDecoder {
  readonly #memory = new BlockMemory()
  readonly #forms = new Map<string, MessageForm>()
  #names = new Names(NAMES_MAX)

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
    const form = this.#form(bytes, at.byte)
    const names = nameColumns(form).length
    const texts = names + form.attributes.length + 1
    const dictionaries = Array.from({ length: texts }, () => this.#dictionary(view, at))
    if (bytes.length - at.byte !== 2 * texts * n + 8 * (2 + form.gauges.length) * n)
      throw new Damage('a block has another length than its columns')
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
    const form = this.#form(payload, at.byte)
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

  /** The form that stands behind the head and ends at `to`; the same object for all blocks of a form. */
  #form(bytes: Uint8Array, to: number): MessageForm {
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).subarray(BLOCK_HEAD_BYTES, to)
    const key = raw.toString('latin1')
    let form = this.#forms.get(key)
    if (form === undefined) {
      const parsed = parseForm(raw.toString('utf8'))
      if (parsed === null) throw new Damage('a block does not say which columns it has')
      if (this.#forms.size >= FORMS_MAX) this.#forms.clear()
      form = parsed
      this.#forms.set(key, form)
    }
    return form
  }

  #dictionary(view: DataView, at: { byte: number }): string[] {
    const count = view.getUint16(at.byte, true)
    const entries: string[] = []
    let from = at.byte + 2
    for (let i = 0; i < count; i++) {
      const to = from + 2 + view.getUint16(from, true)
      entries.push(this.#text(view, from + 2, to))
      from = to
    }
    at.byte = from
    return entries
  }

  #text(view: DataView, from: number, to: number): string {
    // To be hashed it must have three bytes behind it: columns follow, in a whole block.
    const id = to + 3 <= view.byteLength ? this.#idOf(view, from, to) : NAMES_FULL
    if (id >= 0) return this.#names.text(id)
    if (to > view.byteLength) throw new Damage(TOO_SHORT)
    return Buffer.from(view.buffer, view.byteOffset + from, to - from).toString('utf8')
  }

  #idOf(view: DataView, from: number, to: number): number {
    const hash = hashName(view, from, to)
    const id = this.#names.find(view, from, to, hash)
    if (id !== NAMES_FULL) return id
    this.#names = new Names(NAMES_MAX)
    return this.#names.find(view, from, to, hash)
  }
}

const TOO_SHORT = 'a block is shorter than its columns'

/** Leaves the middle of the decoding; `orDamage` takes it. */
class Damage extends Error {}

function orDamage<T>(read: () => T): T | BlockDamage {
  try {
    return read()
  } catch (error) {
    if (error instanceof Damage) return { damage: error.message }
    if (error instanceof RangeError) return { damage: TOO_SHORT }
    throw error
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
    else if (place >= dictionary.length) throw new Damage('a block names an entry that it does not have')
  }
  if (nulls === 0) return { dictionary, places }
  if (!nullable) throw new Damage('a block lacks a required value')
  // The memory of a block that is read where it lies is not ours to change.
  const own = inPlace ? places.slice() : places
  for (let i = 0; i < own.length; i++) if (own[i] === NULL_PLACE) own[i] = dictionary.length
  return { dictionary: [...dictionary, null], places: own }
}

function checked(values: Float64Array, isRight: (value: number) => boolean): Float64Array {
  for (let i = 0; i < values.length; i++)
    if (!isRight(values[i]!)) throw new Damage('a block has a number or time that is none')
  return values
}

function isSeq(value: number): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER && Math.trunc(value) === value
}

function isTime(value: number): boolean {
  return Math.abs(value) <= TIME_MS_MAX && Math.trunc(value) === value
}
