import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Accepted, decodeLine, type LineContext } from '../../../collector/ndjson/message-line.ts'
import type { Refusal } from '../../../collector/ndjson/refusals.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { ERRORS } from '../../../schemas/errors.ts'
import { scores } from '../../schemas/nasty-messages.ts'

const CONTEXT: LineContext = {
  arrivalMs: Date.UTC(2026, 10, 22, 10),
  oldestMs: Date.UTC(2000, 0, 1),
  senderAddress: '192.0.2.7',
  agent: null,
}
const DATASETS = { usual: host, named: (name: string) => (name === 'scores' ? scores : null) }
const GOOD = { service: 'web', cpu: 1, ram: 2, disk: 3 }

const decode = (line: unknown, context: Partial<LineContext> = {}) => {
  const text = typeof line === 'string' ? line : JSON.stringify(line)
  return decodeLine(Buffer.from(text), { ...CONTEXT, ...context }, DATASETS)
}
const accepted = (line: unknown, context: Partial<LineContext> = {}) => {
  const decoded = decode(line, context)
  expect(decoded).toHaveProperty('message')
  return decoded as Accepted
}
const refused = (line: unknown, context: Partial<LineContext> = {}) => {
  const decoded = decode(line, context)
  expect(decoded).toHaveProperty('code')
  return decoded as Refusal
}

test('what is left out is filled in: the arrival and the address of the sender', () => {
  expect(accepted(GOOD)).toEqual({
    dataset: host,
    message: {
      names: ['web', '192.0.2.7'],
      timeMs: CONTEXT.arrivalMs,
      gauges: [1, 2, 3],
      agent: null,
      seq: null,
    },
    ignoredFields: 0,
  })
})

test('other fields are counted; a seq is one of them where nobody said hello', () => {
  expect(accepted({ ...GOOD, rack: 7, seq: 'x', hello: 2 }).ignoredFields).toBe(3)
  const numbered = accepted({ ...GOOD, rack: 7, seq: 5 }, { agent: 'a1' })
  expect([numbered.ignoredFields, numbered.message.agent, numbered.message.seq]).toEqual([1, 'a1', 5])
})

test('white space around the object and a carriage return do no harm', () => {
  expect(accepted(` ${JSON.stringify(GOOD)} \r`).message.names[0]).toBe('web')
})

describe('names have 1 to 128 characters', () => {
  test.each(['a', 'x'.repeat(128), '😀'.repeat(128), 'größe/日本 x', '__proto__', '...'])('%j', (name) => {
    expect(accepted({ ...GOOD, service: name, host: name }).message).toMatchObject({ names: [name, name] })
  })
  const wrong = [
    '',
    'x'.repeat(129),
    '😀'.repeat(129),
    'a\nb',
    'a\u0000',
    'a\u007f',
    'a\u0085',
    '\ud800',
    null,
  ]
  test.each([...wrong, 7, true, ['a'], { a: 1 }])('not %j', (name) => {
    expect(refused({ ...GOOD, service: name })).toMatchObject({ code: 'E_SERVICE', field: 'service' })
    expect(refused({ ...GOOD, host: name })).toMatchObject({ code: 'E_HOST', field: 'host' })
  })
})

describe('a time is ISO 8601 with zone, or milliseconds', () => {
  const at = Date.UTC(2026, 1, 28, 23, 30)
  test.each([
    ['2026-02-28T23:30:00Z', at],
    ['2026-02-28T23:30Z', at],
    ['2026-02-28T24:00:00Z', Date.UTC(2026, 2, 1)],
    ['2026-02-28T24:00Z', Date.UTC(2026, 2, 1)],
    ['2026-02-28T24:00:00.000+01:00', Date.UTC(2026, 1, 28, 23)],
    ['2026-02-28T23:30:00.1Z', at + 100],
    ['2026-02-28T23:30:00.123999999Z', at + 123],
    ['2026-02-28T23:30:00,5Z', at + 500],
    ['2026-03-01T01:30:00+02:00', at],
    ['2026-02-28T18:00:00-05:30', at],
    ['2026-03-01T01:30:00+02', at],
    ['2026-03-01T01:30+02', at],
    ['2026-02-28T17:30:00.25-06', at + 250],
    ['2026-02-28T23:59:60Z', Date.UTC(2026, 2, 1) - 1],
    ['2026-02-28T23:59:60.7Z', Date.UTC(2026, 2, 1) - 1],
    ['2026-03-01T05:29:60+05:30', Date.UTC(2026, 2, 1) - 1],
    ['2026-02-28T14:59:60-09', Date.UTC(2026, 2, 1) - 1],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    [at + 0.9, at],
    [Date.UTC(2000, 0, 1), Date.UTC(2000, 0, 1)],
    [CONTEXT.arrivalMs + 600_000, CONTEXT.arrivalMs + 600_000],
  ])('%j', (time, timeMs) => {
    expect(accepted({ ...GOOD, time_stamp: time }).message.timeMs).toBe(timeMs)
  })
  test.each([
    '2026-02-28T23:30:00',
    '2026-02-28',
    '2026-02-28 23:30:00Z',
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-02-28T24:00:00.001Z',
    '2026-02-28T24:01:00Z',
    '2026-02-28T25:00:00Z',
    '2026-02-28T23:60:00Z',
    '2026-02-28T23:59:61Z',
    '2026-02-28T23:58:60Z',
    '2026-02-28T12:00:60Z',
    '2026-02-28T23:59:60+01:00',
    '2026-02-28T23:30:00+24:00',
    '2026-02-28T23:30:00+24',
    '2026-02-28T23:30:00+2',
    '2026-02-28T23:30:00+020',
    '2026-02-28T23:30:00.Z',
    '+002026-02-28T23:30:00Z',
    'Sat, 28 Feb 2026 23:30:00 GMT',
    String(at),
    '',
    null,
    true,
    [at],
    Date.UTC(2000, 0, 1) - 1,
    '1999-12-31T23:59:59.999Z',
    CONTEXT.arrivalMs + 600_001,
    1e300,
    -1e300,
  ])('not %j', (time) => {
    expect(refused({ ...GOOD, time_stamp: time })).toMatchObject({ code: 'E_TIME', field: 'time_stamp' })
  })
  test('a collector whose clock was not set says so, and not that a time is wrong', () => {
    const { reason } = refused(GOOD, { arrivalMs: Date.UTC(1970, 0, 1, 0, 5) })
    expect(reason).toBe(
      "the collector's clock stands at 1970-01-01T00:05:00.000Z, before collector.oldest, and time_stamp is missing",
    )
  })
  test('the earliest time is a setting, and may lie before 1970', () => {
    const time_stamp = '1969-12-31T23:59:59.9999Z'
    expect(accepted({ ...GOOD, time_stamp }, { oldestMs: -1_000 }).message.timeMs).toBe(-1)
  })
})

describe('gauges are finite numbers from 0 to 1e15', () => {
  test.each(['0', '-0', '1e15', '0.1', '5e-324', '1e-400', '99.99'])('%s', (number) => {
    const line = `{"service":"web","cpu":${number},"ram":2,"disk":3}`
    expect(accepted(line).message.gauges[0]).toBe(Number(number) + 0)
  })
  test.each(['1e400', '-1e400', '-0.001', '1000000000000001', '"1"', 'null', 'true', '[1]', '{}'])(
    'not %s',
    (value) => {
      for (const gauge of ['cpu', 'ram', 'disk']) {
        const line = JSON.stringify({ ...GOOD, [gauge]: 'HERE' }).replace('"HERE"', value)
        expect(refused(line)).toMatchObject({ code: 'E_GAUGE', field: gauge })
      }
    },
  )
  test('none may be missing', () => {
    const { disk, ...rest } = GOOD
    expect(refused(rest).reason).toBe('disk must be a finite number from 0 to 1e15, not missing')
    expect(disk).toBe(3)
  })
})

test('after a hello every line needs a whole number from 1', () => {
  for (const seq of [undefined, 0, -1, 1.5, '1', null, 2 ** 53])
    expect(refused({ ...GOOD, seq }, { agent: 'a' })).toMatchObject({
      code: 'E_SEQ',
      field: 'seq',
      seq: null,
    })
  expect(refused({ ...GOOD, cpu: 'x', seq: 7 }, { agent: 'a' }).seq).toBe(7)
  expect(refused({ ...GOOD, cpu: 'x', seq: 7 }).seq).toBe(null)
})

test.each(['', ' ', 'hello', '{', '[]', '7', 'null', '"x"', '{"a":1}{"b":2}', '\ufeff{}', "{'a':1}"])(
  '%j is not one JSON object',
  (line) => {
    expect(refused(line)).toMatchObject({ code: 'E_JSON', field: null })
  },
)

test.each([[[0xff]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0xe2, 0x82]]])('%j is not UTF-8', (bytes) => {
  const line = Buffer.concat([Buffer.from('{"service":"'), Buffer.from(bytes), Buffer.from('"}')])
  expect(decodeLine(line, CONTEXT, DATASETS)).toMatchObject({ code: 'E_UTF8' })
})

test('the reason names the value, shortened', () => {
  expect(refused({ ...GOOD, cpu: 'abc' }).reason).toBe(
    'cpu must be a finite number from 0 to 1e15, not "abc"',
  )
  const { reason } = refused({ ...GOOD, service: '😀'.repeat(1_000) })
  expect(reason.length).toBeLessThan(200)
  expect(reason.isWellFormed()).toBe(true)
})

test('a line that begins with a byte-order mark is refused for that', () => {
  expect(refused(`\ufeff${JSON.stringify(GOOD)}`).reason).toMatch(
    /^the line is not JSON: it begins with a byte-order mark: "\\ufeff\{/,
  )
})

test.each([
  ['web\u200b', '"web\\u200b"'],
  ['\u202egnp', '"\\u202egnp"'],
  ['a\u00a0b\u2028', '"a\\u00a0b\\u2028"'],
  ['\u3164', '"\\u3164"'],
  ['\u{e0041}', '"\\u{e0041}"'],
  ['\u0085', '"\\u0085"'],
  ['größe 日本 😀', '"größe 日本 😀"'],
])('what cannot be seen of %j is shown escaped', (cpu, shown) => {
  expect(refused({ ...GOOD, cpu }).reason).toBe(`cpu must be a finite number from 0 to 1e15, not ${shown}`)
  expect(refused(cpu).reason).toBe(`the line is not JSON: ${shown}`)
})

test('a value nested as deep as a line allows is refused like any other', () => {
  const deep = `${'['.repeat(32_000)}${']'.repeat(32_000)}`
  expect(refused(deep).code).toBe('E_JSON')
  expect(refused(`{"service":${deep}}`).code).toBe('E_SERVICE')
})

describe('whatever comes', () => {
  const judge = (line: Uint8Array, agent: string | null) => {
    const decoded = decodeLine(line, { ...CONTEXT, agent }, DATASETS)
    if ('code' in decoded) {
      expect(ERRORS).toHaveProperty(decoded.code)
      expect(decoded.reason.length).toBeLessThan(250)
      return
    }
    const { names, timeMs, gauges, seq } = decoded.message
    expect(names.every((name) => name.isWellFormed() && name !== '')).toBe(true)
    expect(Number.isSafeInteger(timeMs)).toBe(true)
    expect(gauges.every((value) => value >= 0 && value <= 1e15 && !Object.is(value, -0))).toBe(true)
    expect(seq === null).toBe(agent === null)
  }
  const agents = fc.constantFrom(null, 'a')

  test('bytes are refused with a listed code, or a whole message', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), agents, judge))
  })
  test('so is a message with any value in any field', () => {
    const field = fc.constantFrom('service', 'host', 'time_stamp', 'cpu', 'ram', 'disk', 'seq')
    fc.assert(
      fc.property(field, fc.json(), agents, (name, json, agent) => {
        const good = { ...GOOD, seq: 1, [name]: 'HERE' }
        judge(Buffer.from(JSON.stringify(good).replace('"HERE"', json)), agent)
      }),
    )
  })
  test('so is a good message with some bytes changed', () => {
    const line = Buffer.from(
      JSON.stringify({ ...GOOD, host: 'é', time_stamp: '2026-11-22T10:00:00Z', seq: 1 }),
    )
    const change = fc.tuple(fc.nat(line.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), agents, (changes, agent) => {
        const changed = Buffer.from(line)
        for (const [at, byte] of changes) changed[at] = byte
        judge(changed, agent)
      }),
    )
  })
})

describe('lines of another dataset', () => {
  const SCORE = { dataset: 'scores', group: 'A', lunch: 'no', math: -2.5, reading: 7 }

  test('are judged by its columns; an optional gauge may be absent or null, an attribute too', () => {
    expect(accepted({ ...SCORE, note: 'late' })).toMatchObject({
      dataset: scores,
      message: { names: ['A', 'no'], gauges: [-2.5, 7, Number.NaN], attributes: ['late'] },
      ignoredFields: 0,
    })
    expect(accepted({ ...SCORE, writing: null, cpu: 1 })).toMatchObject({
      message: { gauges: [-2.5, 7, Number.NaN], attributes: [null] },
      ignoredFields: 1,
    })
  })

  test.each([
    [{ ...SCORE, dataset: 'none' }, 'E_DATASET', 'dataset'],
    [{ ...SCORE, dataset: 7 }, 'E_DATASET', 'dataset'],
    [{ ...SCORE, lunch: undefined }, 'E_SERVICE', 'lunch'],
    [{ ...SCORE, math: null }, 'E_GAUGE', 'math'],
    [{ ...SCORE, math: 1e16 }, 'E_GAUGE', 'math'],
    [{ ...SCORE, note: 7 }, 'E_ATTRIBUTE', 'note'],
    [{ ...SCORE, note: 'x'.repeat(1_025) }, 'E_ATTRIBUTE', 'note'],
  ])('%j is refused as %s of %s', (line, code, field) => {
    expect(refused(line)).toMatchObject({ code, field })
  })
})

test('a column may have a name that every object inherits', () => {
  const gauge = { name: 'constructor', unit: '', min: 0, max: 1, optional: true }
  const odd = { ...scores, gauges: [gauge], attributes: ['valueof', 'constructor'] }
  const decoded = decodeLine(Buffer.from('{"group":"A","lunch":"no"}'), CONTEXT, {
    usual: odd,
    named: () => null,
  })
  expect(decoded).toMatchObject({ message: { gauges: [Number.NaN], attributes: [null, null] } })
})

test.each([
  ['.', 'must be other than . and .., which no address can name'],
  ['..', 'must be other than . and .., which no address can name'],
  [' ', 'must have a character that is seen'],
  ['\u00a0\u3000 ', 'must have a character that is seen'],
  ['\u200b', 'must be without characters that are not seen'],
  ['\u3164\u2800', 'must be without characters that are not seen'],
  ['we\u200bb', 'must be without characters that are not seen'],
  ['web\u00ad', 'must be without characters that are not seen'],
  ['\ufeffweb', 'must be without characters that are not seen'],
  ['web\u200d', 'must be without characters that are not seen'],
  ['a\u200cb', 'must be without characters that are not seen'],
  ['web\ufe0f', 'must be without characters that are not seen'],
  ['web\u{e0041}', 'must be without characters that are not seen'],
  ['می\u200c', 'must be without characters that are not seen'],
  ['a\u2028b', 'must be without characters that are not seen'],
  ['a\u202eb', 'must be without characters that turn the direction of writing'],
  ['\u2067x', 'must be without characters that turn the direction of writing'],
  ['\u200f', 'must be without characters that turn the direction of writing'],
  ['', 'must be 1 to 128 characters'],
  ['a\n', 'must be without control characters'],
  ['\ud800', 'must be without half of a surrogate pair'],
  [7, 'must be text'],
])('%j is no name, and it is said why', (service, why) => {
  const { code, reason } = refused({ ...GOOD, service })
  expect([code, reason.slice(0, reason.indexOf(', not '))]).toEqual(['E_SERVICE', `service ${why}`])
  const host = refused({ ...GOOD, host: service })
  expect([host.code, host.reason.startsWith(`host ${why}`)]).toEqual(['E_HOST', true])
})

test.each(['می\u200cخواهم', '👩\u200d💻 ❤\ufe0f', '1\ufe0f\u20e3', 'क्\u200dष', 'web server', 'größe 日本'])(
  '%j is a name: what joins is seen by what it joins',
  (service) => {
    const decoded = decodeLine(Buffer.from(JSON.stringify({ ...GOOD, service })), CONTEXT, DATASETS)
    expect(decoded).toMatchObject({ message: { names: [service, expect.anything()] } })
  },
)
