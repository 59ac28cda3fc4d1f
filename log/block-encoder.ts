import { formText, type MessageForm } from '../schemas/dataset.ts'
import type { Columns } from '../schemas/message.ts'
import type { StringColumn } from '../schemas/string-column.ts'
import { BLOCK_HEAD_BYTES, NULL_PLACE } from './block-format.ts'
import { BlockMemory } from './block-memory.ts'

/** Bytes of one unit of UTF-16 in UTF-8 at most. */
const UNIT_BYTES_MAX = 3

/** Writes blocks as bytes (block-format.ts). Keeps memory from one to the next. */
export class BlockEncoder {
  readonly #memory = new BlockMemory()
  readonly #forms = new WeakMap<MessageForm, Buffer>()
  /** Where a block is put together, before its length is known. */
  #scratch: Buffer = Buffer.alloc(1 << 16)

  encode(messages: Columns): Buffer {
    const n = messages.length
    const columns = [...messages.names, ...messages.attributes, messages.agent]
    const form = this.#formBytes(messages.form)
    const doubles = [messages.seq, messages.timeMs, ...messages.gauges]
    const fixed = BLOCK_HEAD_BYTES + form.length + columns.length * (2 + 2 * n) + 8 * n * doubles.length
    const texts = columns.reduce((sum, { dictionary }) => sum + textBytesMax(dictionary), 0)
    const out = this.#scratchOf(fixed + texts)
    out.writeUInt16LE(n, 0)
    out.writeUInt16LE(form.length, 2)
    out.set(form, BLOCK_HEAD_BYTES)
    let at = BLOCK_HEAD_BYTES + form.length
    for (const { dictionary } of columns) at = writeDictionary(out, at, dictionary)
    for (const column of columns) at = writePlaces(out, at, column, n)
    for (const values of doubles) {
      out.set(new Uint8Array(values.buffer, values.byteOffset, 8 * n), at)
      at += 8 * n
    }
    return this.#memory.copy(out.subarray(0, at))
  }

  #formBytes(form: MessageForm): Buffer {
    let bytes = this.#forms.get(form)
    if (bytes === undefined) {
      bytes = Buffer.from(formText(form))
      this.#forms.set(form, bytes)
    }
    return bytes
  }

  #scratchOf(bytes: number): Buffer {
    if (this.#scratch.length < bytes) this.#scratch = Buffer.alloc(2 * bytes)
    return this.#scratch
  }
}

function textBytesMax(dictionary: readonly (string | null)[]): number {
  let bytes = 0
  for (const entry of dictionary) bytes += 2 + UNIT_BYTES_MAX * (entry?.length ?? 0)
  return bytes
}

function writeDictionary(out: Buffer, from: number, dictionary: readonly (string | null)[]): number {
  let at = from + 2
  let count = 0
  for (const entry of dictionary) {
    if (entry === null) continue
    count += 1
    const bytes = writeText(out, at + 2, entry)
    out[at] = bytes & 0xff
    out[at + 1] = bytes >> 8
    at += 2 + bytes
  }
  out[from] = count & 0xff
  out[from + 1] = count >> 8
  return at
}

/** Writes a string as UTF-8; its bytes. */
function writeText(out: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return out.write(text, at, 'utf8')
    out[at + i] = code
  }
  return text.length
}

/** The entry that is null, if there is one, is not in the dictionary: those behind it move up. */
function writePlaces(
  out: Buffer,
  from: number,
  { dictionary, places }: StringColumn<string | null>,
  n: number,
): number {
  const nullPlace = dictionary.indexOf(null)
  let at = from
  for (let i = 0; i < n; i++, at += 2) {
    let place = places[i]!
    if (nullPlace >= 0) place = place === nullPlace ? NULL_PLACE : place > nullPlace ? place - 1 : place
    out[at] = place & 0xff
    out[at + 1] = place >> 8
  }
  return at
}
