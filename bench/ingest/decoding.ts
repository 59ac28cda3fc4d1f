import { setFlagsFromString } from 'node:v8'
import { INLINING_FLAGS } from '../../cli/node-flags.ts'
import { DatasetIntake } from '../../collector/intake/dataset-intake.ts'
import { LineDecoder } from '../../collector/ndjson/decode/decoder.ts'
import { LineBuffer } from '../../collector/ndjson/decode/line-buffer.ts'
import { host } from '../../schemas/datasets/host.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { median } from '../measure.ts'
import { FIRST_SEQ, LINES_PER_WRITE, Lines } from './lines.ts'
import { PlainScanner } from './plain-scanner.ts'

/**
 * The decoder alone, against a plain scanner and `JSON.parse` of the same bytes, with lines that suit it more and less.
 * Short rounds in turn: whatever slows the machine for a while slows all three.
 */
const NAMES_MAX = 100_000
/** Few enough to stay in the processor's cache, as what has just come from a socket does. */
const LINES = 4_000

/** One kind of lines: millions of lines a second, and ratios within the same rounds. */
export interface Decoding {
  readonly lines: string
  readonly decoder: number
  readonly plain: number
  readonly jsonParse: number
  readonly timesPlain: number
  readonly timesJsonParse: number
}

/** Lines that look like those before them, and such as do so less. */
const KINDS: readonly { readonly lines: string; make(random: () => number): Buffer }[] = [
  { lines: 'hosts in turn', make: () => fleetLines() },
  { lines: 'hosts in any order', make: (random) => shuffled(fleetLines(), random) },
  { lines: 'thousands of hosts', make: (random) => shuffled(renamed(fleetLines()), random) },
]

export function benchDecoding(rounds: number): Decoding[] {
  for (const flag of INLINING_FLAGS) setFlagsFromString(flag)
  return KINDS.map(({ lines, make }) => ({ lines, ...measure(make, rounds) }))
}

function measure(make: (random: () => number) => Buffer, rounds: number): Omit<Decoding, 'lines'> {
  const random = numbersFrom(1)
  const { length } = make(random)
  const lineBytes = length / LINES
  const lineBuffer = new LineBuffer(length)
  const limits = { servicesMax: NAMES_MAX, hostsMax: NAMES_MAX }
  const decoder = new LineDecoder(lineBuffer, new DatasetIntake(host, limits))
  const plain = new PlainScanner(lineBuffer, new DatasetIntake(host, limits))
  const context = { arrivalMs: Date.now() + HOUR_MS, oldestMs: 0, senderAddress: '', agent: 'bench' }
  const rate = (decode: (at: number) => number) => {
    const before = performance.now()
    for (let at = 0; at < length; at += lineBytes) if (decode(at) < 0) throw new Error('not a usual line')
    return LINES / (performance.now() - before) / 1_000
  }
  const measured = Array.from({ length: rounds }, () => {
    const bytes = make(random)
    lineBuffer.put(bytes)
    return {
      decoder: rate((at) => decoder.decode(at, context)),
      plain: rate((at) => plain.decode(at)),
      jsonParse: rate((at) => (JSON.parse(bytes.toString('utf8', at, at + lineBytes)) === null ? -1 : 0)),
    }
  })
  return {
    decoder: median(measured.map((round) => round.decoder)),
    plain: median(measured.map((round) => round.plain)),
    jsonParse: median(measured.map((round) => round.jsonParse)),
    timesPlain: median(measured.map((round) => round.decoder / round.plain)),
    timesJsonParse: median(measured.map((round) => round.decoder / round.jsonParse)),
  }
}

/** Numbers in [0, 1), the same ones each time: a linear congruential generator (Numerical Recipes). */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Lines of hosts that report in turn, each with other decimals. */
function fleetLines(): Buffer {
  const lines = new Lines(1, true)
  const nowMs = Date.now()
  return Buffer.concat(
    Array.from({ length: LINES / LINES_PER_WRITE }, (_, i) =>
      lines.next(FIRST_SEQ + i * LINES_PER_WRITE, nowMs),
    ),
  )
}

/** The same lines in any order. */
function shuffled(bytes: Buffer, random: () => number): Buffer {
  const lines = bytes.toString().trimEnd().split('\n')
  for (let i = lines.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[lines[i], lines[j]] = [lines[j]!, lines[i]!]
  }
  return Buffer.from(`${lines.join('\n')}\n`)
}

/** The same lines, each of another host. */
function renamed(bytes: Buffer): Buffer {
  let n = 0
  return Buffer.from(bytes.toString().replace(/host-\d{3}/g, () => `h-${String(n++).padStart(6, '0')}`))
}

export function decodingText(kinds: readonly Decoding[]): string {
  return kinds
    .map(({ lines, decoder, plain, jsonParse, timesPlain, timesJsonParse }) => {
      const rates = `${decoder.toFixed(2)} M lines/s; plain scanner ${plain.toFixed(2)}, JSON.parse ${jsonParse.toFixed(2)}`
      const ratios = `decoder / plain = ${timesPlain.toFixed(1)}, decoder / JSON.parse = ${timesJsonParse.toFixed(1)}`
      return `decoder, ${lines.padEnd(18)} ${rates}; ${ratios}`
    })
    .join('\n')
}
