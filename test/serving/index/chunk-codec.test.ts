import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CellFold } from '../../../schemas/cell-fold.ts'
import { type CellRange, type Cells, keyAt, pickRows, rowAt, timesOf } from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { toColumns } from '../../../schemas/message.ts'
import { defineView } from '../../../schemas/view.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { decodeChunk, encodeChunk } from '../../../serving/index/chunk-codec.ts'
import { ByteReader, ByteWriter } from '../../../serving/index/pack.ts'
import { nastyMessages, scores } from '../../schemas/nasty-messages.ts'

const scoreMinute = defineView(scores, { name: 'score_minute', key: ['group'], quantiles: true })
const rowsIn = ({ cells, from, to }: CellRange) =>
  Array.from({ length: to - from }, (_, i) => rowAt(cells, from + i))
const PLACE = { file: 1, key: 'a', level: 0 }
const rowsOf = (cells: Cells) => Array.from({ length: cells.length }, (_, i) => rowAt(cells, i))

for (const { dataset, view } of [
  { dataset: host, view: serviceMinute },
  { dataset: host, view: hostMinute },
  { dataset: scores, view: scoreMinute },
]) {
  test(`rows of ${view.name} survive as chunks, key by key`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), (messages) => {
        const fold = new CellFold(view)
        fold.addAll(toColumns(dataset, messages))
        const cells = fold.cells()
        for (let from = 0, to = 0; from < cells.length; from = to) {
          while (to < cells.length && keyAt(cells, to) === keyAt(cells, from)) to++
          const rows = Uint32Array.from({ length: to - from }, (_, i) => from + i)
          const place = { ...PLACE, key: keyAt(cells, from) }
          const back = decodeChunk(view, place, encodeChunk(cells, from, to, place))
          expect(rowsIn(back.rows())).toEqual(rowsOf(pickRows(cells, rows)))
        }
      }),
    )
  })
}

for (const { dataset, view } of [
  { dataset: host, view: hostMinute },
  { dataset: scores, view: scoreMinute },
]) {
  test(`rows of all keys of ${view.name} survive as one chunk, and any part of them can be read alone`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), fc.nat(), fc.nat(), (messages, a, b) => {
        const fold = new CellFold(view)
        fold.addAll(toColumns(dataset, messages))
        const cells = fold.cells()
        const place = { file: 1, key: null, level: 2 } as const
        const back = decodeChunk(view, place, encodeChunk(cells, 0, cells.length, place))
        expect(back.keys).toEqual(Array.from({ length: cells.length }, (_, i) => keyAt(cells, i)))
        const [from, to] = [a % (cells.length + 1), b % (cells.length + 1)].sort((x, y) => x - y) as [
          number,
          number,
        ]
        expect(rowsIn(back.rowsAt(from, to))).toEqual(rowsOf(cells).slice(from, to))
      }),
      { numRuns: 50 },
    )
  })
}

function dayOfMinutes(): Cells {
  const fold = new CellFold(serviceMinute)
  const messages = Array.from({ length: 1_440 }, (_, minute) => ({
    names: ['a', `host-${minute % 5}`],
    timeMs: Date.UTC(2026, 10, 22) + minute * 60_000 + ((minute * 7_919) % 60_000),
    gauges: [((minute * 7_919) % 10_000) / 100, ((minute * 104_729) % 10_000) / 100, minute % 101],
    agent: null,
    seq: null,
  }))
  fold.addAll(toColumns(host, messages))
  return fold.cells()
}

test('of a chunk any part of its time can be read alone', () => {
  const cells = dayOfMinutes()
  const chunk = decodeChunk(serviceMinute, PLACE, encodeChunk(cells, 0, 1_440, PLACE))
  const startMs = timesOf(cells)[0]!
  const minute = fc.integer({ min: -5, max: 1_445 })
  fc.assert(
    fc.property(minute, minute, fc.integer({ min: 0, max: 59_999 }), (from, to, ms) => {
      const part = chunk.rows(startMs + from * 60_000 + ms, startMs + to * 60_000 + ms)
      const rows = Array.from({ length: 1_440 }, (_, row) => row).filter(
        (row) => row * 60_000 >= from * 60_000 + ms && row * 60_000 < to * 60_000 + ms,
      )
      expect(rowsIn(part)).toEqual(rowsOf(pickRows(cells, Uint32Array.from(rows))))
    }),
    { numRuns: 30 },
  )
})

/** Columns of numbers: plain ones, those that grow evenly, and those that only nearly do. */
const number = fc.oneof(
  fc.constantFrom(0, -0, 1, 0.1, 255, 256, 65_536, 2 ** 32, -1, 1e15, Number.NaN, Number.POSITIVE_INFINITY),
  fc.double(),
  fc.integer({ min: 0, max: 100_000 }).map((n) => n / 1_000),
)
const even = fc
  .record({ first: number, step: number, length: fc.integer({ min: 0, max: 40 }) })
  .map(({ first, step, length }) => Float64Array.from({ length }, (_, i) => first + i * step))
const column = fc.oneof(
  fc.array(number, { maxLength: 40 }).map((values) => Float64Array.from(values)),
  even,
  fc.tuple(even, fc.nat(39), number).map(([values, at, value]) => {
    const other = Float64Array.from(values)
    if (at < other.length) other[at] = value
    return other
  }),
)

test('any numbers survive, and any part of them can be read alone', () => {
  fc.assert(
    fc.property(column, fc.nat(), fc.nat(), (values, a, b) => {
      const out = new ByteWriter()
      out.numbers(values)
      const packed = new ByteReader(out.take()).numbers(values.length)
      const [from, to] = [a % (values.length + 1), b % (values.length + 1)].sort((x, y) => x - y)
      const part = packed.read(from!, new Float64Array(to! - from!))
      expect(Array.from(part)).toEqual(Array.from(values).slice(from, to))
    }),
    { numRuns: 1_000 },
  )
})

test('numbers that grow evenly take as many bytes however many they are', () => {
  const out = new ByteWriter()
  out.numbers(Float64Array.from({ length: 1_440 }, (_, i) => 60_000 * i))
  expect(out.take()).toHaveLength(17)
})

test('a day of minutes takes at most 110 bytes a cell without its sketches', () => {
  const { plain, sketches } = encodeChunk(dayOfMinutes(), 0, 1_440, PLACE)
  expect(plain.length / 1_440).toBeLessThan(110)
  expect(sketches!.length / 1_440).toBeLessThan(40)
})

test('a changed byte is found, wherever it is', () => {
  const whole = encodeChunk(dayOfMinutes(), 0, 1_440, PLACE)
  fc.assert(
    fc.property(fc.nat(whole.plain.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const plain = new Uint8Array(whole.plain)
      plain[at]! ^= flip
      expect(() => decodeChunk(serviceMinute, PLACE, { ...whole, plain })).toThrow('damaged')
    }),
    { numRuns: 300 },
  )
})

test('a chunk of other columns is refused', () => {
  const { plain } = encodeChunk(dayOfMinutes(), 0, 1_440, PLACE)
  expect(() => decodeChunk(hostMinute, PLACE, { plain, sketches: null })).toThrow('other columns')
})

test.for([{ file: 2 }, { key: 'b' }, { level: 1 }, { key: null }])(
  'a chunk that lies elsewhere is damaged: %o',
  (moved) => {
    const whole = encodeChunk(dayOfMinutes(), 0, 1_440, PLACE)
    const place = { ...PLACE, ...moved }
    expect(() => decodeChunk(serviceMinute, place, whole)).toThrow('damaged')
  },
)

test('a chunk without its sketches is damaged', () => {
  const { plain } = encodeChunk(dayOfMinutes(), 0, 1_440, PLACE)
  expect(() => decodeChunk(serviceMinute, PLACE, { plain, sketches: null })).toThrow('damaged')
})
