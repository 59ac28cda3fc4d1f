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
    const { names, attributes, agent, length: n } = messages
    const head = this.#writeHead(messages)
    const texts = names.length + attributes.length + 1
    const out = this.#memory.room(head + 2 * n * texts + 8 * n * (2 + messages.gauges.length))
    this.#scratch.copy(out, 0, 0, head)
    let at = head
    for (let c = 0; c < names.length; c++) at = writePlaces(out, at, names[c]!, n)
    for (let c = 0; c < attributes.length; c++) at = writePlaces(out, at, attributes[c]!, n)
    at = writePlaces(out, at, agent, n)
    const { doubles } = this.#memory
    let double = (out.byteOffset + at) / 8
    double = writeDoubles(doubles, double, messages.seq, n)
    double = writeDoubles(doubles, double, messages.timeMs, n)
    for (const values of messages.gauges) double = writeDoubles(doubles, double, values, n)
    return out
  }

  /** Puts what stands before the places into the scratch memory. Returns how many bytes that are. */
  #writeHead({ form, names, attributes, agent, length }: Columns): number {
    const formBytes = this.#formBytes(form)
    let bytes = BLOCK_HEAD_BYTES + formBytes.length
    for (const { dictionary } of names) bytes += textBytesMax(dictionary)
    for (const { dictionary } of attributes) bytes += textBytesMax(dictionary)
    bytes += textBytesMax(agent.dictionary)
    if (this.#scratch.length < bytes) this.#scratch = Buffer.alloc(2 * bytes)
    const out = this.#scratch
    out.writeUInt16LE(length, 0)
    out.writeUInt16LE(formBytes.length, 2)
    out.set(formBytes, BLOCK_HEAD_BYTES)
    let at = BLOCK_HEAD_BYTES + formBytes.length
    for (const { dictionary } of names) at = writeDictionary(out, at, dictionary)
    for (const { dictionary } of attributes) at = writeDictionary(out, at, dictionary)
    return writeDictionary(out, at, agent.dictionary)
  }

  #formBytes(form: MessageForm): Buffer {
    let bytes = this.#forms.get(form)
    if (bytes === undefined) {
      bytes = Buffer.from(formText(form))
      this.#forms.set(form, bytes)
    }
    return bytes
  }
}

/** Bytes that a dictionary takes at most. */
function textBytesMax(dictionary: readonly (string | null)[]): number {
  let bytes = 2
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

/** Writes the first `n` of `values` from the place `from` on. Returns the place behind them. */
function writeDoubles(out: Float64Array, from: number, values: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) out[from + i] = values[i]!
  return from + n
}
