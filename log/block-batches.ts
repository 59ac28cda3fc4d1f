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
  places = new Uint32Array(MESSAGES_MAX)
  readonly #placeOf = new Uint32Array(NAMES_MAX)
  /** The batch in which a place was given. */
  readonly #given = new Int32Array(NAMES_MAX)

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

/** The columns of a batch while blocks are added. */
class BatchColumns {
  readonly #strings = new BlockStrings()
  readonly #memory = new BlockMemory()
  #form: MessageForm | null = null
  #formBytes: Buffer = Buffer.alloc(0)
  #room = MESSAGES_MAX
  #length = 0
  /** Numbers the batches, and within one the generations of ids. */
  #batch = 1
  #names: NameColumn[] = []
  #timeMs = new Float64Array(MESSAGES_MAX)
  #gauges: Float64Array[] = []
  /** Per name column of the block at hand: the batch's place of each entry of its dictionary. */
  #entries: Uint32Array[] = []
  /** Per text column, how many entries its dictionary has. */
  #counts = new Int32Array(8)
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
    const formBytes = this.#view.getUint16(begin + 2, true)
    const form = this.#formOf(bytes, BLOCK_HEAD_BYTES + formBytes)
    const fits = form === this.#form && this.#length + n <= this.#room
    if (!fits) {
      if (this.#length > 0) return 'full'
      this.#prepare(form, n)
      this.#formBytes = Buffer.from(bytes.subarray(BLOCK_HEAD_BYTES, BLOCK_HEAD_BYTES + formBytes))
    }
    const columns = this.#readDictionaries(form, begin + BLOCK_HEAD_BYTES + formBytes, end)
    const texts = this.#names.length + form.attributes.length + 1
    if (end - columns !== 2 * texts * n + 8 * (2 + form.gauges.length) * n) throw new Damage(OTHER_LENGTH)
    this.#readPlaces(columns / 2, texts, n)
    this.#readDoubles((columns + 2 * texts * n) / 8, n)
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

  /** Most blocks have the form of the one before. */
  #formOf(bytes: Uint8Array, to: number): MessageForm {
    if (this.#form !== null && this.#formBytes.length === to - BLOCK_HEAD_BYTES) {
      let at = 0
      while (at < this.#formBytes.length && this.#formBytes[at] === bytes[BLOCK_HEAD_BYTES + at]) at++
      if (at === this.#formBytes.length) return this.#form
    }
    return this.#strings.form(bytes, to)
  }

  /** Makes the empty columns those of `form`, with room for `n` messages. */
  #prepare(form: MessageForm, n: number): void {
    this.clear()
    if (n > this.#room) {
      this.#room = n
      this.#timeMs = new Float64Array(n)
      this.#form = null
    }
    if (form === this.#form) return
    this.#form = form
    this.#names = nameColumns(form).map(() => new NameColumn())
    for (const column of this.#names) column.places = new Uint32Array(this.#room)
    this.#entries = this.#names.map(() => new Uint32Array(NULL_PLACE))
    this.#counts = new Int32Array(this.#names.length + form.attributes.length + 1)
    this.#gauges = form.gauges.map(() => new Float64Array(this.#room))
  }

  /** Reads the dictionaries that begin at `from`. Returns where they end. */
  #readDictionaries(form: MessageForm, from: number, end: number): number {
    const texts = this.#names.length + form.attributes.length + 1
    let at = from
    for (let column = 0; column < texts; column++) {
      if (at + 2 > end) throw new Damage(TOO_SHORT)
      const count = this.#view.getUint16(at, true)
      this.#counts[column] = count
      at += 2
      for (let entry = 0; entry < count; entry++) {
        if (at + 2 > end) throw new Damage(TOO_SHORT)
        const text = at + 2
        at = text + this.#view.getUint16(at, true)
        if (at > end) throw new Damage(TOO_SHORT)
        if (column < this.#names.length)
          this.#entries[column]![entry] = this.#placeOf(this.#names[column]!, text, at, end)
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

  #readPlaces(from: number, texts: number, n: number): void {
    const shorts = this.#shorts
    for (let column = 0; column < texts; column++) {
      const count = this.#counts[column]!
      const begin = from + column * n
      const isName = column < this.#names.length
      for (let i = begin; i < begin + n; i++) {
        const place = shorts[i]!
        if (place < count) continue
        if (place !== NULL_PLACE) throw new Damage(NO_ENTRY)
        if (isName) throw new Damage(LACKS_VALUE)
      }
      if (!isName) continue
      const entries = this.#entries[column]!
      const { places } = this.#names[column]!
      const to = this.#length
      for (let i = 0; i < n; i++) places[to + i] = entries[shorts[begin + i]!]!
    }
  }

  #readDoubles(from: number, n: number): void {
    const doubles = this.#doubles
    const to = this.#length
    for (let i = from; i < from + n; i++) if (!isSeq(doubles[i]!)) throw new Damage(NO_NUMBER)
    const times = from + n
    for (let i = 0; i < n; i++) {
      if (!isTime(doubles[times + i]!)) throw new Damage(NO_NUMBER)
      this.#timeMs[to + i] = doubles[times + i]!
    }
    for (let g = 0; g < this.#gauges.length; g++) {
      const values = this.#gauges[g]!
      const begin = from + (2 + g) * n
      for (let i = 0; i < n; i++) values[to + i] = doubles[begin + i]!
    }
  }

  columns(): FoldColumns {
    return {
      form: this.#form!,
      length: this.#length,
      names: this.#names.map(({ dictionary, places }) => ({ dictionary, places })),
      timeMs: this.#timeMs,
      gauges: this.#gauges,
    }
  }

  clear(): void {
    this.#length = 0
    this.#batch += 1
    for (const column of this.#names) column.dictionary = []
  }
}
