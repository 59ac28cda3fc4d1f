import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DatasetIntake } from '../../../collector/intake/dataset-intake.ts'
import { fromDecimal } from '../../../collector/ndjson/decode/decimal.ts'
import { LineDecoder } from '../../../collector/ndjson/decode/decoder.ts'
import { LineBuffer } from '../../../collector/ndjson/decode/line-buffer.ts'
import { decodeLine, type LineContext } from '../../../collector/ndjson/message-line.ts'
import { host } from '../../../schemas/datasets/host.ts'
import type { Message } from '../../../schemas/message.ts'

const ARRIVAL_MS = Date.UTC(2026, 10, 22, 10)
const CONTEXTS: LineContext[] = [null, 'a1'].map((agent) => ({
  arrivalMs: ARRIVAL_MS,
  oldestMs: Date.UTC(2000, 0, 1),
  senderAddress: '192.0.2.7',
  agent,
}))
const NEWLINE = Buffer.from('\n')
const intake = new DatasetIntake(host, { servicesMax: 100_000, hostsMax: 100_000 })
const datasets = { usual: host, named: () => null }
const lineBuffer = new LineBuffer(10_000)
const decoder = new LineDecoder(lineBuffer, intake)

/** What both say of a line; the fast one null where it leaves the line to the other. */
function both(line: Uint8Array, context: LineContext) {
  lineBuffer.put(line, NEWLINE)
  const end = decoder.decode(0, context)
  return { end, fast: end < 0 ? null : decoded(context), complete: decodeLine(line, context, datasets) }
}

/** The message that the row holds. */
function decoded({ agent }: LineContext): Message {
  const { names, values, seq } = intake.row
  return {
    names: Array.from(names, (id, c) => intake.names[c]!.text(id)),
    timeMs: values[3]!,
    gauges: [...values.subarray(0, 3)],
    agent,
    seq: seq || null,
  }
}

/** Whatever the fast path takes it takes as the complete one does. Whether it took the line. */
function agree(line: Uint8Array, context: LineContext): boolean {
  const { end, fast, complete } = both(line, context)
  if (fast === null) return false
  expect(complete).toEqual({ dataset: host, message: fast, ignoredFields: 0 })
  expect(end).toBe(line.length)
  expect(fast.gauges.some((value) => Object.is(value, -0))).toBe(false)
  return true
}

const USUAL = {
  service: 'web',
  host: 'größe/日本 x',
  time_stamp: '2026-11-22T09:59:59.123Z',
  cpu: 12.345678901234567,
  ram: 0,
  disk: 1e15,
  seq: 9007199254740991,
}

describe('the usual lines are taken', () => {
  const { seq: _, ...unnumbered } = USUAL
  const forms: [string, object | string, number][] = [
    ['of an agent', USUAL, 1],
    ['without number', unnumbered, 0],
    ['in another order', Object.fromEntries(Object.entries(USUAL).reverse()), 1],
    ['without host', { ...unnumbered, host: undefined }, 0],
    ['without time', { ...USUAL, time_stamp: undefined }, 1],
    ['with milliseconds', { ...USUAL, time_stamp: ARRIVAL_MS - 0.5 }, 1],
    ['without a fraction of a second', { ...USUAL, time_stamp: '2024-02-29T23:59:59Z' }, 1],
    ['with spaces', ' {\t"service" : "web" , "cpu":1,"ram" : 0.5e-3 ,"disk": 1E+2 , "seq" : 1.50e1 } \r', 1],
  ]
  test.each(forms)('%s', (_name, line, context) => {
    const text = typeof line === 'string' ? line : JSON.stringify(line)
    expect(agree(Buffer.from(text), CONTEXTS[context]!)).toBe(true)
  })
})

/** Pieces of lines, right and wrong, that fuzzing puts together. */
const anyName = fc.oneof(
  fc.constantFrom('"web"', '"a b"', '"größe"', '"😀"', '""', '"a\\u0041"', '"a\\"b"', '"\u007f"', '"\ud83d"'),
  fc.string({ unit: 'grapheme', maxLength: 140 }).map((name) => JSON.stringify(name)),
)
const numbers = fc.oneof(
  fc.double({ min: 0, max: 100, noNaN: true }).map(String),
  fc.double().map((value) => JSON.stringify(value)),
  fc.integer().map(String),
  fc
    .tuple(
      fc.stringMatching(/^\d{0,22}$/),
      fc.stringMatching(/^(\.\d{0,25})?$/),
      fc.stringMatching(/^([eE][+-]?\d{0,3})?$/),
    )
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '-0',
    '0',
    '-1',
    '00',
    '01',
    '1.',
    '.5',
    '+1',
    '1e400',
    '1e-400',
    '5e-324',
    'NaN',
    'Infinity',
  ),
  fc.constantFrom(
    '0.1',
    '1e15',
    '1000000000000000.1',
    '9007199254740993',
    '123456789012345678',
    'true',
    '[1]',
  ),
)
const times = fc.oneof(
  fc
    .date({ min: new Date(0), max: new Date(ARRIVAL_MS + 1e6), noInvalidDate: true })
    .map((date) => JSON.stringify(date)),
  fc
    .tuple(
      fc.constantFrom('2023', '2024', '2000', '1900', '0000', '2026'),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      fc.integer({ min: 0, max: 25 }),
      fc.integer({ min: 0, max: 61 }),
      fc.constantFrom('Z', '.5Z', '.123Z', ',123Z', '.1234Z', '+00:00', '', '.12zZ'),
    )
    .map(([year, ...rest]) => {
      const [month, day, hour, minute] = rest.map((part) => String(part).padStart(2, '0'))
      return `"${year}-${month}-${day}T${hour}:${minute}:59${rest.at(-1)}"`
    }),
  numbers,
)
const space = fc.constantFrom('', '', '', '', ' ', '\t', '\r', ' \t ')
const field = fc.oneof(
  fc.tuple(fc.constantFrom('service', 'host'), anyName),
  fc.tuple(fc.constantFrom('cpu', 'ram', 'disk', 'seq'), numbers),
  fc.tuple(fc.constant('time_stamp'), times),
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom('rack', 'servic', 'cpu ', 'c\\u0070u'),
      fc.jsonValue().map((v) => JSON.stringify(v)),
    ),
  },
)
/** Values that are right, and now and then one that may be wrong. */
const mostly = (right: fc.Arbitrary<string>, any: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: any })
const name = mostly(fc.constantFrom('"web"', '"größe/日本 x"', '"h-1"'), anyName)
const gauge = mostly(
  fc.oneof(
    fc.double({ min: 0, max: 1e15, noNaN: true, noDefaultInfinity: true }).map((value) => String(value)),
    fc.stringMatching(/^[1-9]\d{0,3}(\.\d{1,18})?([eE][+-]?[0-9])?$/),
  ),
  numbers,
)
const time = mostly(
  fc
    .date({ min: new Date(Date.UTC(2000, 0, 1)), max: new Date(ARRIVAL_MS), noInvalidDate: true })
    .map((at) => JSON.stringify(at)),
  times,
)
const complete = fc
  .tuple(name, fc.option(name), gauge, gauge, gauge, fc.option(time), fc.integer({ min: 1 }).map(String))
  .map(([service, host, cpu, ram, disk, at, seq]) =>
    Object.entries({ service, host, cpu, ram, disk, time_stamp: at, seq }).filter(
      ([, value]) => value !== null,
    ),
  )
const lines = fc
  .tuple(
    complete,
    mostly(fc.constant(''), fc.constant('more')),
    field,
    space,
    space,
    mostly(fc.constant(''), fc.constantFrom(',', '}', ' x', '\0')),
  )
  .chain(([fields, more, extra, a, b, end]) => {
    const all = more === '' ? fields : [...fields, extra]
    return fc
      .shuffledSubarray(all, { minLength: all.length - (more === '' ? 0 : 1), maxLength: all.length })
      .map((some) => {
        const body = some.map(([key, value]) => `${a}"${key}"${b}:${a}${value}${b}`).join(',')
        return Buffer.from(`${a}{${body}}${b}${end}`)
      })
  })

test('whatever line it takes, it takes as the complete path does', () => {
  let taken = 0
  let all = 0
  fc.assert(
    fc.property(lines, fc.constantFrom(CONTEXTS[0]!, ...Array(4).fill(CONTEXTS[1]!)), (line, context) => {
      all += 1
      if (agree(line, context)) taken += 1
    }),
    { numRuns: 20_000 },
  )
  // The test means something only if both happen often.
  expect(taken / all).toBeGreaterThan(0.05)
  expect(taken / all).toBeLessThan(0.9)
})

test('also when bytes of usual lines are changed, lost and doubled', () => {
  const corpus = [USUAL, { ...USUAL, time_stamp: ARRIVAL_MS }, { ...USUAL, cpu: 0.1, disk: 123456.75 }].map(
    (line) => Buffer.from(JSON.stringify(line)),
  )
  const change = fc.tuple(
    fc.nat(),
    fc.constantFrom('set', 'lose', 'double', 'swap'),
    fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\{}:,.-+eE019 \t\r\n\0'))),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...corpus),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...CONTEXTS),
      (line, changes, context) => {
        let bytes = [...line]
        for (const [place, kind, byte] of changes) {
          const at = place % bytes.length
          if (kind === 'set') bytes[at] = byte
          else if (kind === 'lose') bytes = bytes.toSpliced(at, 1)
          else if (kind === 'double') bytes = bytes.toSpliced(at, 0, bytes[at]!)
          else bytes = [...bytes.slice(at), ...bytes.slice(0, at)]
        }
        // A newline ends a line: nothing behind it belongs to it.
        if (!bytes.includes(0x0a)) agree(Buffer.from(bytes), context)
      },
    ),
    { numRuns: 50_000 },
  )
})

test('a number is the double that Number gives, to the last bit', () => {
  const digits = fc.bigInt({ min: 0n, max: 9_999_999_999_999_999_999n })
  let answered = 0
  fc.assert(
    fc.property(digits, fc.integer({ min: -25, max: 25 }), (value, exponent) => {
      const text = value.toString()
      const high = Number(text.slice(0, 15))
      const low = Number(text.slice(15) || '0')
      const got = fromDecimal(high, low, Math.max(0, text.length - 15), exponent)
      if (Number.isNaN(got)) return
      answered += 1
      expect(got).toBe(Number(`${text}e${exponent}`))
    }),
    { numRuns: 50_000 },
  )
  expect(answered).toBeGreaterThan(20_000)
})

test('numbers half-way between two doubles are not guessed', () => {
  for (let i = 1; i < 2_000; i++) {
    // 2⁵³ + an odd number lies exactly between two doubles.
    const text = String(9_007_199_254_740_992n + BigInt(2 * i - 1))
    const got = fromDecimal(Number(text.slice(0, 15)), Number(text.slice(15)), text.length - 15, 0)
    if (!Number.isNaN(got)) expect(got).toBe(Number(text))
  }
})

test('a name too many is left to the complete path, which is told so', () => {
  const few = new DatasetIntake(host, { servicesMax: 2, hostsMax: 2 })
  const one = new LineDecoder(lineBuffer, few)
  const line = (service: string, host: string) =>
    Buffer.from(JSON.stringify({ service, host, cpu: 1, ram: 1, disk: 1 }))
  const fits = (service: string, host: string) => {
    lineBuffer.put(line(service, host), NEWLINE)
    return one.decode(0, CONTEXTS[0]!) > 0
  }
  expect([fits('a', 'h'), fits('b', 'h'), fits('c', 'h'), fits('a', 'h2'), fits('a', 'h3')]).toEqual([
    true,
    true,
    false,
    true,
    false,
  ])
  const message = (service: string, host: string): Message => {
    return { names: [service, host], timeMs: 0, gauges: [1, 1, 1], agent: null, seq: null }
  }
  const taken = [few.fill(message('c', 'h')), few.fill(message('a', 'h3')), few.fill(message('b', 'h2'))]
  expect(taken.map((over) => over?.setting)).toEqual([
    'collector.services_max',
    'collector.hosts_max',
    undefined,
  ])
})

test('a line of the shape of the one before is read as any other', () => {
  const shapes = [USUAL, { ...USUAL, cpu: 7 }, Object.fromEntries(Object.entries(USUAL).reverse())]
  for (const first of shapes)
    for (const second of shapes)
      for (let cut = 0; cut < JSON.stringify(second).length; cut++) {
        expect(agree(Buffer.from(JSON.stringify(first)), CONTEXTS[1]!)).toBe(true)
        agree(Buffer.from(JSON.stringify(second).slice(0, cut)), CONTEXTS[1]!)
      }
})
