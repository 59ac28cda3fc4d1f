import type { Columns, StringColumn } from '../schemas/message.ts'
import { hashName, NAMES_FULL, Names } from './names.ts'

/**
 * A block as bytes, in the journal and wherever it passes from thread to thread: little-endian, column by column
 * (docs/format/journal.md):
 *
 *     u16 messages │ u8 gauges │ 3 × dictionary │ 3 × u16[messages] │ f64 seq[] │ f64 time[] │ gauges × f64[]
 *
 * A dictionary (of services, hosts, agents) is u16 count, then per entry u16 byte length and UTF-8. Columns of strings
 * hold places in it, 0xFFFF for null. A seq of 0 is null.
 */
const NULL_PLACE = 0xffff
const HEAD_BYTES = 3

/** The longest entry of a dictionary, in bytes: 128 characters. */
const ENTRY_BYTES_MAX = 512

export function encodeBlock(messages: Columns): Buffer {
  const n = messages.length
  const { service, host, agent, seq, timeMs, gauges } = messages
  const columns = [service, host, agent] as const
  const entries = columns.reduce((sum, { dictionary }) => sum + dictionary.length, 0)
  const fixed = HEAD_BYTES + 6 + 6 * n + 8 * n * (2 + gauges.length)
  const out = scratchOf(fixed + entries * (2 + ENTRY_BYTES_MAX))
  out.writeUInt16LE(n, 0)
  out[2] = gauges.length
  let at = HEAD_BYTES
  for (const { dictionary } of columns) at = writeDictionary(out, at, dictionary)
  for (const column of columns) at = writePlaces(out, at, column, n)
  for (const values of [seq, timeMs, ...gauges]) {
    out.set(new Uint8Array(values.buffer, values.byteOffset, 8 * n), at)
    at += 8 * n
  }
  return kept(out.subarray(0, at))
}

/** Where blocks are put together, before their length is known. */
let scratch: Buffer = Buffer.alloc(1 << 16)

function scratchOf(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.alloc(2 * bytes)
  return scratch
}

/** Blocks lie side by side in pieces of memory: one for each would keep the garbage collector busy. */
const SLAB_BYTES = 1 << 18
let slab: Buffer = Buffer.alloc(0)
let slabUsed = 0

/**
 * The bytes that a block of this length takes where blocks lie side by side, each at the end of its own: so that its doubles,
 * the last of it, begin at a multiple of eight and can be read where they are.
 */
export function alignedRoom(length: number): number {
  return (length + 7) & ~7
}

/** A copy of `source`, which ends at a multiple of eight in its memory. */
function kept(source: Uint8Array): Buffer {
  const room = alignedRoom(source.length)
  if (room > SLAB_BYTES / 4) return copyTo(Buffer.from(new ArrayBuffer(room)), room, source)
  if (slabUsed + room > slab.length) {
    slab = Buffer.from(new ArrayBuffer(SLAB_BYTES))
    slabUsed = 0
  }
  slabUsed += room
  return copyTo(slab, slabUsed, source)
}

function copyTo(memory: Buffer, end: number, source: Uint8Array): Buffer {
  const copy = memory.subarray(end - source.length, end)
  copy.set(source)
  return copy
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

/** Strings by their bytes, so that each is made once for many blocks; when there are too many, all are made anew. */
const KNOWN_MAX = 65_536
let known = new Names(KNOWN_MAX)

/**
 * The inverse of `encodeBlock`, for bytes whose checksum was right. Where they end at a multiple of eight in their memory the
 * columns are views of them.
 */
export function decodeBlock(bytes: Uint8Array): Columns {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const n = view.getUint16(0, true)
  const gauges = view.getUint8(2)
  const at = { byte: HEAD_BYTES }
  const services = readDictionary(view, at)
  const hosts = readDictionary(view, at)
  const agents: (string | null)[] = readDictionary(view, at)
  const inPlace = (bytes.byteOffset + bytes.length) % 8 === 0
  const columns = inPlace ? bytes.subarray(at.byte) : kept(bytes.subarray(at.byte))
  const { buffer, byteOffset: places } = columns
  const doubles = places + 6 * n
  const placesAt = (nth: number) => new Uint16Array(buffer, places + 2 * nth * n, n)
  const doublesAt = (nth: number) => new Float64Array(buffer, doubles + 8 * nth * n, n)
  let agentPlaces = placesAt(2)
  if (agentPlaces.includes(NULL_PLACE)) {
    if (inPlace) {
      const own = kept(columns.subarray(4 * n, 6 * n))
      agentPlaces = new Uint16Array(own.buffer, own.byteOffset, n)
    }
    for (let i = 0; i < n; i++) if (agentPlaces[i] === NULL_PLACE) agentPlaces[i] = agents.length
    agents.push(null)
  }
  return {
    length: n,
    service: { dictionary: services, places: placesAt(0) },
    host: { dictionary: hosts, places: placesAt(1) },
    agent: { dictionary: agents, places: agentPlaces },
    seq: doublesAt(0),
    timeMs: doublesAt(1),
    gauges: Array.from({ length: gauges }, (_, g) => doublesAt(2 + g)),
  }
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
  // Columns follow every dictionary: there is something to read behind it.
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
  const at = { byte: HEAD_BYTES }
  skipDictionary(view, at)
  skipDictionary(view, at)
  const agents = readDictionary(view, at)
  if (agents.length === 0) return
  const places = at.byte + 4 * n
  const seqs = at.byte + 6 * n
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
