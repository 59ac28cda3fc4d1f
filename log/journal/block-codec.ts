import type { Columns } from '../../schemas/message.ts'

/**
 * The payload of a block record, little-endian, column by column (docs/format/journal.md):
 *
 *     u16 messages │ u8 gauges │ 3 × dictionary │ 3 × u16[messages] │ f64 seq[] │ f64 time[] │ gauges × f64[]
 *
 * A dictionary (of services, hosts, agents) is u16 count, then per entry u16 byte length and UTF-8. Columns of strings
 * hold places in it, 0xFFFF for null. A seq of 0 is null.
 */
const NULL_PLACE = 0xffff

export function encodeBlock(messages: Columns): Buffer {
  const n = messages.length
  const dictionaries = [messages.service, messages.host, messages.agent].map(dictionaryOf)
  const stringBytes = dictionaries.reduce((sum, { bytes }) => sum + bytes, 0)
  const gauges = messages.gauges.length
  const out = Buffer.allocUnsafe(3 + stringBytes + 6 * n + 8 * n * (2 + gauges))
  let at = out.writeUInt16LE(n, 0)
  at = out.writeUInt8(gauges, at)
  for (const { entries } of dictionaries) {
    at = out.writeUInt16LE(entries.length, at)
    for (const entry of entries) {
      at = out.writeUInt16LE(entry.length, at)
      at += entry.copy(out, at)
    }
  }
  for (const { places } of dictionaries) for (const place of places) at = out.writeUInt16LE(place, at)
  for (let i = 0; i < n; i++) at = out.writeDoubleLE(messages.seq[i] ?? 0, at)
  for (let i = 0; i < n; i++) at = out.writeDoubleLE(messages.timeMs[i]!, at)
  for (const values of messages.gauges) for (let i = 0; i < n; i++) at = out.writeDoubleLE(values[i]!, at)
  return out
}

function dictionaryOf(values: readonly (string | null)[]) {
  const placeOf = new Map<string, number>()
  const entries: Buffer[] = []
  let bytes = 2
  const places = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value === null) {
      places[i] = NULL_PLACE
      continue
    }
    let place = placeOf.get(value)
    if (place === undefined) {
      place = entries.length
      placeOf.set(value, place)
      const entry = Buffer.from(value, 'utf8')
      entries.push(entry)
      bytes += 2 + entry.length
    }
    places[i] = place
  }
  return { entries, places, bytes }
}

/** The inverse of `encodeBlock`, for bytes whose checksum was right. */
export function decodeBlock(bytes: Uint8Array): Columns {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = source.readUInt16LE(0)
  const gauges = source.readUInt8(2)
  let at = 3
  const dictionaries = [0, 1, 2].map(() => {
    const entries: string[] = []
    const count = source.readUInt16LE(at)
    at += 2
    for (let i = 0; i < count; i++) {
      const end = at + 2 + source.readUInt16LE(at)
      entries.push(source.toString('utf8', at + 2, end))
      at = end
    }
    return entries
  })
  const strings = dictionaries.map((entries) => {
    const column = new Array<string | null>(length)
    for (let i = 0; i < length; i++, at += 2) column[i] = entries[source.readUInt16LE(at)] ?? null
    return column
  })
  const doubles = (): number[] => {
    const column = new Array<number>(length)
    for (let i = 0; i < length; i++, at += 8) column[i] = source.readDoubleLE(at)
    return column
  }
  return {
    length,
    service: strings[0] as string[],
    host: strings[1] as string[],
    agent: strings[2]!,
    seq: doubles().map((seq) => (seq === 0 ? null : seq)),
    timeMs: doubles(),
    gauges: Array.from({ length: gauges }, doubles),
  }
}
