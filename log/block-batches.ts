import type { Block } from '../schemas/block.ts'
import { type MessageForm, nameColumns } from '../schemas/dataset.ts'
import { isError } from '../schemas/errors.ts'
import type { FoldColumns } from '../schemas/message.ts'
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
  TOO_SHORT,
} from './block-damage.ts'
import { BLOCK_HEAD_BYTES, NULL_PLACE } from './block-format.ts'
import { BlockMemory } from './block-memory.ts'
import { BlockStrings, NAMES_MAX } from './block-strings.ts'

/** Consecutive blocks whose messages are of one form, or one block that cannot be read. */
export interface Batch {
  readonly first: Block
  readonly last: Block
  /** Good until the next batch is asked for. */
  readonly messages: FoldColumns | BlockDamage
}

/** Messages of blocks that are read together, unless a single block has more. */
const MESSAGES_MAX = 4_096

/**
 * Reads the messages of many blocks into a few columns that are used again and again, so that a fold over them costs nothing per
 * block and leaves nothing to the garbage collector:
 *
 *     block │ block │ block of another form │ damaged │ block      ─▶ batch of two │ batch │ damage │ batch
 *
 * Only what a fold looks at is kept: names, times and gauges. What is damage is the same as for `BlockDecoder`.
 */
export class BlockBatches {
  readonly #columns = new BatchColumns()
  #first: Block | null = null
  #last: Block | null = null;

  /** The messages of `blocks`, in order. */
  *of(blocks: readonly Block[]): Generator<Batch> {
    for (const block of blocks) {
      const { payload } = block
      if (payload === undefined) {
        yield* this.#taken()
        yield { first: block, last: block, messages: messagesOf(block) }
        continue
      }
      let added = this.#columns.add(payload)
      if (added === 'full') {
        yield* this.#taken()
        added = this.#columns.add(payload)
      }
      if (added === 'added') {
        this.#first ??= block
        this.#last = block
      } else {
        yield* this.#taken()
        yield { first: block, last: block, messages: added as BlockDamage }
      }
    }
    yield* this.#taken()
  }

  *#taken(): Generator<Batch> {
    const [first, last] = [this.#first, this.#last]
    if (first === null) return
    this.#first = null
    yield { first, last: last!, messages: this.#columns.columns() }
    this.#columns.clear()
  }
}

function messagesOf(block: Block): FoldColumns | BlockDamage {
  try {
    return block.messages
  } catch (error) {
    if (isError(error, 'E_COLUMNS')) return { damage: error.message }
    throw error
  }
}

/** A column of names: the distinct ones of the batch, and where an id (`BlockStrings`) stands among them. */
class NameColumn {
  dictionary: string[] = []
  readonly places: Uint32Array
  /** Of the block at hand: the batch's place of each entry of its dictionary. */
  readonly entries = new Uint32Array(NULL_PLACE)
  readonly #placeOf = new Uint32Array(NAMES_MAX)
  /** The batch in which a place was given. */
  readonly #given = new Int32Array(NAMES_MAX)

  constructor(room: number) {
    this.places = new Uint32Array(room)
  }

  /** The place of a string in the batch numbered `batch`; −1 where it has none yet. */
  find(id: number, batch: number): number {
    return id >= 0 && this.#given[id] === batch ? this.#placeOf[id]! : -1
  }

  learn(id: number, batch: number, text: string): number {
    const place = this.dictionary.push(text) - 1
    if (id >= 0) {
      this.#placeOf[id] = place
      this.#given[id] = batch
    }
    return place
  }
}

/** Memory for the messages of a batch of one form, used again and again. */
class FormColumns {
  readonly form: MessageForm
  /** The form as its blocks begin. */
  readonly bytes: Buffer
  /** Messages that it has room for. */
  readonly room: number
  readonly names: readonly NameColumn[]
  readonly timeMs: Float64Array
  readonly gauges: readonly Float64Array[]
  /** Of the block at hand: per text column, how many entries its dictionary has. */
  readonly counts: Int32Array

  constructor(form: MessageForm, bytes: Uint8Array, room: number) {
    this.form = form
    this.bytes = Buffer.from(bytes)
    this.room = room
    this.names = nameColumns(form).map(() => new NameColumn(room))
    this.timeMs = new Float64Array(room)
    this.gauges = form.gauges.map(() => new Float64Array(room))
    this.counts = new Int32Array(this.names.length + form.attributes.length + 1)
  }

  /** Whether the form of a block, which ends at its byte `to`, is this one. */
  begins(block: Uint8Array, to: number): boolean {
    const { bytes } = this
    if (bytes.length !== to - BLOCK_HEAD_BYTES) return false
    for (let at = 0; at < bytes.length; at++) if (bytes[at] !== block[BLOCK_HEAD_BYTES + at]) return false
    return true
  }
}

/** Forms whose memory is kept, as where blocks of some datasets take turns; with one more, all is made anew. */
const FORMS_KEPT_MAX = 16

/** The columns of a batch while blocks are added. */
class BatchColumns {
  readonly #strings = new BlockStrings()
  readonly #memory = new BlockMemory()
  readonly #kept = new Map<MessageForm, FormColumns>()
  #columns: FormColumns | null = null
  #length = 0
  /** Numbers the batches, and within one the generations of ids. */
  #batch = 1
  /** The memory that the block at hand lies in, whole. */
  #buffer: ArrayBufferLike | null = null
  #view: DataView = new DataView(new ArrayBuffer(0))
  #shorts: Uint16Array = new Uint16Array()
  #doubles: Float64Array = new Float64Array()

  /** Adds the messages of a block, or says why not: no room beside what is there, or damage. Then nothing is added. */
  add(payload: Uint8Array): 'added' | 'full' | BlockDamage {
    return orDamage(() => this.#add(payload))
  }

  #add(payload: Uint8Array): 'added' | 'full' {
    const inPlace = (payload.byteOffset + payload.length) % 8 === 0
    const bytes = inPlace ? payload : this.#memory.copy(payload)
    this.#lookInto(bytes.buffer)
    const begin = bytes.byteOffset
    const end = begin + bytes.length
    if (bytes.length < BLOCK_HEAD_BYTES) throw new Damage(TOO_SHORT)
    const n = this.#view.getUint16(begin, true)
    const formEnd = BLOCK_HEAD_BYTES + this.#view.getUint16(begin + 2, true)
    const into = this.#columnsFor(bytes, formEnd, n)
    if (into === null) return 'full'
    const places = this.#readDictionaries(into, begin + formEnd, end)
    const texts = into.counts.length
    const doubles = 2 + into.gauges.length
    if (end - places !== 2 * texts * n + 8 * doubles * n) throw new Damage(OTHER_LENGTH)
    this.#readPlaces(into, places / 2, n)
    this.#readDoubles(into, (places + 2 * texts * n) / 8, n)
    this.#length += n
    return 'added'
  }

  #lookInto(buffer: ArrayBufferLike): void {
    if (this.#buffer === buffer) return
    this.#buffer = buffer
    this.#view = new DataView(buffer)
    this.#shorts = new Uint16Array(buffer, 0, buffer.byteLength >> 1)
    this.#doubles = new Float64Array(buffer, 0, buffer.byteLength >> 3)
  }

  /** The columns that `n` more messages of a block fit into; null where others must be taken out first. */
  #columnsFor(block: Uint8Array, formEnd: number, n: number): FormColumns | null {
    const columns = this.#columns
    const isSame = columns?.begins(block, formEnd) === true
    if (isSame && this.#length + n <= columns!.room) return columns
    const form = isSame ? columns!.form : this.#strings.form(block, formEnd)
    if (this.#length > 0) return null
    let other = this.#kept.get(form)
    if (other === undefined || other.room < n) {
      if (this.#kept.size >= FORMS_KEPT_MAX) this.#kept.clear()
      other = new FormColumns(form, block.subarray(BLOCK_HEAD_BYTES, formEnd), Math.max(n, MESSAGES_MAX))
      this.#kept.set(form, other)
    }
    this.#columns = other
    this.clear()
    return other
  }

  /** Reads the dictionaries that begin at `from`. Returns where they end. */
  #readDictionaries({ names, counts }: FormColumns, from: number, end: number): number {
    let at = from
    for (let column = 0; column < counts.length; column++) {
      if (at + 2 > end) throw new Damage(TOO_SHORT)
      const count = this.#view.getUint16(at, true)
      counts[column] = count
      at += 2
      const name = names[column]
      for (let entry = 0; entry < count; entry++) {
        if (at + 2 > end) throw new Damage(TOO_SHORT)
        const text = at + 2
        at = text + this.#view.getUint16(at, true)
        if (at > end) throw new Damage(TOO_SHORT)
        if (name !== undefined) name.entries[entry] = this.#placeOf(name, text, at, end)
      }
    }
    return at
  }

  #placeOf(column: NameColumn, from: number, to: number, end: number): number {
    const { generation } = this.#strings
    const id = this.#strings.idOf(this.#view, from, to, end)
    // Ids that mean something else now are those of another batch.
    if (this.#strings.generation !== generation) this.#batch += 1
    const place = column.find(id, this.#batch)
    return place >= 0 ? place : column.learn(id, this.#batch, this.#strings.text(this.#view, from, to, end))
  }

  #readPlaces({ names, counts }: FormColumns, from: number, n: number): void {
    const shorts = this.#shorts
    for (let column = 0; column < counts.length; column++) {
      const count = counts[column]!
      const begin = from + column * n
      const name = names[column]
      for (let i = begin; i < begin + n; i++) {
        const place = shorts[i]!
        if (place < count) continue
        if (place !== NULL_PLACE) throw new Damage(NO_ENTRY)
        if (name !== undefined) throw new Damage(LACKS_VALUE)
      }
      if (name === undefined) continue
      const { entries, places } = name
      const to = this.#length
      for (let i = 0; i < n; i++) places[to + i] = entries[shorts[begin + i]!]!
    }
  }

  #readDoubles({ timeMs, gauges }: FormColumns, from: number, n: number): void {
    const doubles = this.#doubles
    const to = this.#length
    for (let i = from; i < from + n; i++) if (!isSeq(doubles[i]!)) throw new Damage(NO_NUMBER)
    const times = from + n
    for (let i = 0; i < n; i++) {
      if (!isTime(doubles[times + i]!)) throw new Damage(NO_NUMBER)
      timeMs[to + i] = doubles[times + i]!
    }
    for (let g = 0; g < gauges.length; g++) {
      const values = gauges[g]!
      const begin = from + (2 + g) * n
      for (let i = 0; i < n; i++) values[to + i] = doubles[begin + i]!
    }
  }

  /** What was added since `clear`, of one block at least. */
  columns(): FoldColumns {
    const { form, names, timeMs, gauges } = this.#columns!
    return {
      form,
      length: this.#length,
      names: names.map(({ dictionary, places }) => ({ dictionary, places })),
      timeMs,
      gauges,
    }
  }

  clear(): void {
    this.#length = 0
    this.#batch += 1
    for (const column of this.#columns?.names ?? []) column.dictionary = []
  }
}
