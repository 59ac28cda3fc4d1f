import { formText, type MessageForm, nameColumns, parseForm } from '../schemas/dataset.ts'
import { TidemarkError } from '../schemas/errors.ts'
import type { Columns } from '../schemas/message.ts'
import type { StringColumn } from '../schemas/string-column.ts'
import { kept } from './block-memory.ts'
import { hashName, NAMES_FULL, Names } from './names.ts'

/**
 * A block as bytes, in the journal and wherever it passes from thread to thread: little-endian, column by column
 * (docs/format/journal.md):
 *
 *     u16 messages │ u16 bytes of the form │ form │ dictionaries │ places, u16[messages] each │ f64 seq[] │ f64 time[] │
 *     gauges × f64[]
 *
 * The form (`formText`) says which columns follow: dictionaries and places are those of the keys, the source, the
 * attributes and the agent. A dictionary is u16 count, then per entry u16 byte length and UTF-8. Places are those in the
 * dictionary, 0xFFFF for null. A seq of 0 is null, a gauge that is NaN absent.
 */
const NULL_PLACE = 0xffff
const HEAD_BYTES = 4

/** Bytes of one unit of UTF-16 in UTF-8 at most. */
const UNIT_BYTES_MAX = 3

function textColumns({ names, attributes, agent }: Columns): StringColumn<string | null>[] {
  return [...names, ...attributes, agent]
}

export function encodeBlock(messages: Columns): Buffer {
  const n = messages.length
  const columns = textColumns(messages)
  const form = formBytes(messages.form)
  const doubles = [messages.seq, messages.timeMs, ...messages.gauges]
  const fixed = HEAD_BYTES + form.length + columns.length * (2 + 2 * n) + 8 * n * doubles.length
  const out = scratchOf(fixed + columns.reduce((sum, { dictionary }) => sum + textBytesMax(dictionary), 0))
  out.writeUInt16LE(n, 0)
  out.writeUInt16LE(form.length, 2)
  out.set(form, HEAD_BYTES)
  let at = HEAD_BYTES + form.length
  for (const { dictionary } of columns) at = writeDictionary(out, at, dictionary)
  for (const column of columns) at = writePlaces(out, at, column, n)
  for (const values of doubles) {
    out.set(new Uint8Array(values.buffer, values.byteOffset, 8 * n), at)
    at += 8 * n
  }
  return kept(out.subarray(0, at))
}

const encodedForms = new WeakMap<MessageForm, Buffer>()

function formBytes(form: MessageForm): Buffer {
  let bytes = encodedForms.get(form)
  if (bytes === undefined) {
    bytes = Buffer.from(formText(form))
    encodedForms.set(form, bytes)
  }
  return bytes
}

function textBytesMax(dictionary: readonly (string | null)[]): number {
  let bytes = 0
  for (const entry of dictionary) bytes += 2 + UNIT_BYTES_MAX * (entry?.length ?? 0)
  return bytes
}

/** Where blocks are put together, before their length is known. */
let scratch: Buffer = Buffer.alloc(1 << 16)

function scratchOf(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.alloc(2 * bytes)
  return scratch
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

/** Forms by their text: each is parsed once, and the same object for all blocks of a form. */
const knownForms = new Map<string, MessageForm>()
const FORMS_MAX = 1_000

function readForm(bytes: Uint8Array, to: number): MessageForm {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + HEAD_BYTES, to - HEAD_BYTES).toString('latin1')
  let form = knownForms.get(text)
  if (form === undefined) {
    const parsed = parseForm(Buffer.from(text, 'latin1').toString('utf8'))
    if (parsed === null) throw new TidemarkError('E_COLUMNS', 'a block does not say which columns it has')
    if (knownForms.size >= FORMS_MAX) knownForms.clear()
    form = parsed
    knownForms.set(text, form)
  }
  return form
}

/** Strings by their bytes, so that each is made once for many blocks; when there are too many, all are made anew. */
const KNOWN_MAX = 65_536
let known = new Names(KNOWN_MAX)

/**
 * The inverse of `encodeBlock`, for bytes whose checksum was right. Where they end at a multiple of eight in their memory the
 * columns are views of them. Throws `E_COLUMNS` for what is no block.
 */
export function decodeBlock(bytes: Uint8Array): Columns {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof RangeError)
      throw new TidemarkError('E_COLUMNS', 'a block is shorter than its columns')
    throw error
  }
}

function decode(bytes: Uint8Array): Columns {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const n = view.getUint16(0, true)
  const at = { byte: HEAD_BYTES + view.getUint16(2, true) }
  const form = readForm(bytes, at.byte)
  const texts = nameColumns(form).length + form.attributes.length + 1
  const dictionaries = Array.from({ length: texts }, () => readDictionary(view, at))
  if (bytes.length - at.byte !== 2 * texts * n + 8 * (2 + form.gauges.length) * n)
    throw new TidemarkError('E_COLUMNS', 'a block has another length than its columns')
  const inPlace = (bytes.byteOffset + bytes.length) % 8 === 0
  const columns = inPlace ? bytes.subarray(at.byte) : kept(bytes.subarray(at.byte))
  const { buffer, byteOffset } = columns
  const doubles = byteOffset + 2 * texts * n
  const doublesAt = (nth: number) => new Float64Array(buffer, doubles + 8 * nth * n, n)
  const column = (nth: number) =>
    withNulls(dictionaries[nth]!, new Uint16Array(buffer, byteOffset + 2 * nth * n, n), inPlace)
  const all = dictionaries.map((_, nth) => column(nth))
  const names = nameColumns(form).length
  return {
    form,
    length: n,
    names: all.slice(0, names) as StringColumn[],
    attributes: all.slice(names, -1),
    agent: all.at(-1)!,
    seq: doublesAt(0),
    timeMs: doublesAt(1),
    gauges: form.gauges.map((_, g) => doublesAt(2 + g)),
  }
}

/** A column whose places of null are those of an entry of its dictionary. */
function withNulls(
  dictionary: string[],
  places: Uint16Array<ArrayBufferLike>,
  inPlace: boolean,
): StringColumn<string | null> {
  if (!places.includes(NULL_PLACE)) return { dictionary, places }
  // The memory of a block that is read where it lies is not ours to change.
  const own = inPlace ? places.slice() : places
  for (let i = 0; i < own.length; i++) if (own[i] === NULL_PLACE) own[i] = dictionary.length
  return { dictionary: [...dictionary, null], places: own }
}

function readDictionary(view: DataView, at: { byte: number }): string[] {
  const count = view.getUint16(at.byte, true)
  const entries: string[] = []
  let from = at.byte + 2
  for (let i = 0; i < count; i++) {
    const to = from + 2 + view.getUint16(from, true)
    entries.push(readText(view, from + 2, to))
    from = to
  }
  at.byte = from
  return entries
}

function readText(view: DataView, from: number, to: number): string {
  // Numbers follow every dictionary: there is something to read behind it.
  const hash = hashName(view, from, to)
  let id = known.find(view, from, to, hash)
  if (id === NAMES_FULL) {
    known = new Names(KNOWN_MAX)
    id = known.find(view, from, to, hash)
  }
  return id >= 0
    ? known.text(id)
    : Buffer.from(view.buffer, view.byteOffset + from, to - from).toString('utf8')
}

/** Calls `fn` with each agent of an encoded block and the highest of its numbers. */
export function forEachAgent(payload: Uint8Array, fn: (agent: string, seq: number) => void): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const n = view.getUint16(0, true)
  const at = { byte: HEAD_BYTES + view.getUint16(2, true) }
  const form = readForm(payload, at.byte)
  const before = nameColumns(form).length + form.attributes.length
  for (let column = 0; column < before; column++) skipDictionary(view, at)
  const agents = readDictionary(view, at)
  if (agents.length === 0) return
  const places = at.byte + 2 * before * n
  const seqs = places + 2 * n
  const highest = new Float64Array(agents.length)
  for (let i = 0; i < n; i++) {
    const place = view.getUint16(places + 2 * i, true)
    if (place === NULL_PLACE) continue
    const seq = view.getFloat64(seqs + 8 * i, true)
    if (seq > highest[place]!) highest[place] = seq
  }
  for (let place = 0; place < agents.length; place++) fn(agents[place]!, highest[place]!)
}

function skipDictionary(view: DataView, at: { byte: number }): void {
  const count = view.getUint16(at.byte, true)
  at.byte += 2
  for (let i = 0; i < count; i++) at.byte += 2 + view.getUint16(at.byte, true)
}
