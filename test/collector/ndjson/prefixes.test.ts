import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DatasetIntake } from '../../../collector/intake/dataset-intake.ts'
import { LineDecoder } from '../../../collector/ndjson/decode/decoder.ts'
import { LineBuffer } from '../../../collector/ndjson/decode/line-buffer.ts'
import { Prefixes } from '../../../collector/ndjson/decode/prefixes.ts'
import { host } from '../../../schemas/datasets/host.ts'

const CONTEXT = { arrivalMs: Date.UTC(2026, 10, 22), oldestMs: 0, senderAddress: '192.0.2.7', agent: null }

/** A decoder of lines that are laid before it one at a time. */
function reader(lineBuffer = new LineBuffer(2_000)) {
  const intake = new DatasetIntake(host, { servicesMax: 1_000, hostsMax: 1_000_000 })
  const decoder = new LineDecoder(lineBuffer, intake)
  const read = (line: string) => {
    lineBuffer.put(Buffer.from(`${line}\n`))
    if (decoder.decode(0, CONTEXT) < 0) return null
    return Array.from(intake.row.names, (id, c) => intake.names[c]!.text(id))
  }
  return { decoder, intake, read }
}

const rest = '"cpu":1,"ram":2,"disk":3}'
/** Names that begin alike, up to longer than a beginning may be. */
const name = fc
  .tuple(fc.constantFrom('', 'x', 'xx', 'x'.repeat(9), 'ü'.repeat(120)), fc.constantFrom('', '1', '2', 'ü'))
  .map((parts) => parts.join('') || 'x')
const line = fc
  .record({
    service: name,
    host: fc.option(name),
    form: fc.constantFrom('plain', 'spaced', 'host first', 'last'),
  })
  .map(({ service, host, form }) => {
    const [one, other] = [`"service":"${service}"`, host === null ? '' : `"host":"${host}"`]
    const names = (form === 'host first' ? [other, one] : [one, other]).filter((text) => text !== '')
    const text = form === 'last' ? `{"disk":3,"cpu":1,"ram":2,${names.join()}}` : `{${names.join()},${rest}`
    return { text: form === 'spaced' ? text.replaceAll('":', '" : ') : text, service, host }
  })

test('in whatever order lines come, each is read with its own names', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (some) => {
      const { read } = reader()
      for (const { text, service, host } of [...some, ...some, ...some])
        expect(read(text)).toEqual([service, host ?? CONTEXT.senderAddress])
    }),
    { numRuns: 300 },
  )
})

test('a beginning that comes again is expected, and nothing that only begins like it', () => {
  const lineBuffer = new LineBuffer(200)
  const beginnings = new Prefixes(lineBuffer, 2)
  const put = (text: string) => lineBuffer.put(Buffer.from(text))
  const [web, webs] = ['{"service":"web"', '{"service":"web-1"']
  const guess = (text: string) => {
    put(text)
    return beginnings.guess(0)
  }
  expect(guess(web)).toBe(0)
  for (const [i, text] of [web, webs, web].entries())
    beginnings.learn(0, put(text), 1, Int32Array.of(i % 2, 0))
  // After `web` came `web-1`.
  expect(guess(`${web},`)).toBe(0)
  expect(guess(webs.slice(0, -1))).toBe(0)
  expect(guess(`${webs},`)).toBe(webs.length)
  expect([beginnings.fields, beginnings.nameAt(0)]).toEqual([1, 1])
  beginnings.clear()
  expect(guess(webs)).toBe(0)
})

test('of three names, prefixes that differ in one of them are told apart', () => {
  const lineBuffer = new LineBuffer(200)
  const prefixes = new Prefixes(lineBuffer, 3)
  const texts = Array.from(
    { length: 1_000 },
    (_, n) => `{"a":"${n % 10}","b":"${Math.floor(n / 10) % 10}","c":"${n}"`,
  )
  const names = texts.map((_, n) => Int32Array.of(n % 10, Math.floor(n / 10) % 10, Math.floor(n / 100)))
  const put = (text: string) => lineBuffer.put(Buffer.from(text))
  for (const [n, text] of texts.entries()) prefixes.learn(0, put(text), 7, names[n]!)
  prefixes.learn(0, put(texts[0]!), 7, names[0]!)
  for (const [n, text] of texts.entries()) {
    if (n === 0) continue
    put(text)
    expect([prefixes.guess(0), prefixes.nameAt(0), prefixes.nameAt(1), prefixes.nameAt(2)]).toEqual([
      text.length,
      ...names[n]!,
    ])
  }
})

/** Learns one prefix after the other, as long as it wants to, up to `max`. Returns how many. */
function learnNew(prefixes: Prefixes, lineBuffer: LineBuffer, max: number): number {
  let learned = 0
  while (learned < max && prefixes.wantsToLearn()) {
    const end = lineBuffer.put(Buffer.from(`{"service":"web","host":"h${learned}"`))
    prefixes.learn(0, end, 3, Int32Array.of(0, learned))
    learned += 1
  }
  return learned
}

test('where no prefix comes again learning rests, and is tried again later', () => {
  const lineBuffer = new LineBuffer(200)
  const prefixes = new Prefixes(lineBuffer, 2)
  expect(learnNew(prefixes, lineBuffer, 1_000_000)).toBe(65_536)
  expect(prefixes.guess(0)).toBe(0)
  let resting = 0
  while (!prefixes.wantsToLearn()) resting += 1
  expect(resting).toBe(16 * 65_536)
  expect(learnNew(prefixes, lineBuffer, 1_000)).toBe(1_000)
})

test('prefixes that come again give it credit to learn others', () => {
  const lineBuffer = new LineBuffer(200)
  const prefixes = new Prefixes(lineBuffer, 2)
  expect(learnNew(prefixes, lineBuffer, 60_000)).toBe(60_000)
  const end = lineBuffer.put(Buffer.from('{"service":"web","host":"same"'))
  for (let n = 0; n < 2; n++) prefixes.learn(0, end, 3, Int32Array.of(0, 1))
  for (let n = 0; n < 60_000; n++) if (prefixes.guess(0) !== end) throw new Error(`not expected: ${n}`)
  expect(learnNew(prefixes, lineBuffer, 1_000_000)).toBe(65_536 - 2)
})

test('with more beginnings than are kept each line is still read with its own names', () => {
  const { read } = reader()
  for (let n = 0; n < 140_000; n++) {
    const name = `h${n % 70_000}`
    if (read(`{"service":"web","host":"${name}",${rest}`)?.[1] !== name) throw new Error(`${name} is another`)
  }
})

test('names of an expected beginning are seen, and mean nothing any more when numbers changed', () => {
  const { decoder, intake, read } = reader()
  const lines = ['b', 'c'].map((host) => `{"service":"web","host":"${host}",${rest}`)
  read(`{"service":"old","host":"a",${rest}`)
  for (const text of [...lines, ...lines]) read(text)
  intake.hour = 5
  for (const text of lines) read(text)
  decoder.forget()
  // Names are kept for a day.
  expect(intake.forgetOld(5 + 24)).toBe(true)
  expect(intake.names.map(({ size }) => size)).toEqual([1, 2])
  for (const [i, text] of lines.entries()) expect(read(text)).toEqual(['web', ['b', 'c'][i]])
})
