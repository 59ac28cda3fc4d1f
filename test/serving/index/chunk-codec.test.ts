import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CellFold } from '../../../schemas/cell-fold.ts'
import {
  type CellRange,
  type Cells,
  endOfKey,
  keyAt,
  pickRows,
  rowAt,
  timesOf,
} from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { type Message, toColumns } from '../../../schemas/message.ts'
import { narrowCells, narrowedTo } from '../../../schemas/narrowed.ts'
import { defineView } from '../../../schemas/view.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { ByteReader } from '../../../serving/index/byte-reader.ts'
import { ByteWriter } from '../../../serving/index/byte-writer.ts'
import type { Chunk, SketchesOf } from '../../../serving/index/chunk.ts'
import {
  type ChunkPiece,
  type ChunkPlace,
  decodeChunk,
  decodeSketches,
  encodeChunk,
} from '../../../serving/index/chunk-codec.ts'
import { nastyMessages, scores } from '../../schemas/nasty-messages.ts'

const scoreMinute = defineView(scores, { name: 'score_minute', key: ['group'], quantiles: true })
const rowsIn = ({ cells, from, to }: CellRange) =>
  Array.from({ length: to - from }, (_, i) => rowAt(cells, from + i))
const PLACE = { file: 1, level: 0, slice: 0, first: 'a' }
const EVER = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }
const rowsOf = (cells: Cells) => Array.from({ length: cells.length }, (_, i) => rowAt(cells, i))

/** The rows of each key of cells. */
function byKey(cells: Cells): Map<string, CellRange> {
  const ranges = new Map<string, CellRange>()
  for (let from = 0, to = 0; from < cells.length; from = to) {
    to = endOfKey(cells, from)
    ranges.set(keyAt(cells, from), { cells, from, to })
  }
  return ranges
}

/** A chunk of all keys of cells that was written and read, and where its sketches are asked for. */
function survived(cells: Cells, place: ChunkPlace = PLACE): { chunk: Chunk; sketches: SketchesOf } {
  const { view } = cells
  const ranges = byKey(cells)
  const pieces = encodeChunk(view, [...ranges.keys()], [...ranges.values()], place)
  return {
    chunk: decodeChunk(view, place, pieces[0]!.bytes),
    sketches: (column) =>
      decodeSketches(view, place, column, pieces.find(({ piece }) => piece === column)!.bytes),
  }
}

for (const { dataset, view } of [
  { dataset: host, view: serviceMinute },
  { dataset: host, view: hostMinute },
  { dataset: scores, view: scoreMinute },
]) {
  const cellsOf = (messages: readonly Message[]) => {
    const fold = new CellFold(view)
    fold.addAll(toColumns(dataset, messages))
    return fold.cells()
  }

  test(`rows of ${view.name} survive as a chunk, and are read key by key`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), (messages) => {
        const cells = cellsOf(messages)
        const { chunk, sketches } = survived(cells)
        for (const [key, range] of byKey(cells))
          expect(rowsIn(chunk.rowsOf(key, EVER, view, sketches)!)).toEqual(rowsIn(range))
        expect(chunk.rowsOf('nobody', EVER, view, sketches)).toBeNull()
      }),
    )
  })

  test(`rows of several keys of ${view.name} are read at once, any part of their time and in fewer columns`, () => {
    const narrow = narrowedTo(view, `${view.gauges[1]!.gauge}.max`)!
    fc.assert(
      fc.property(
        nastyMessages(dataset),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        fc.constantFrom(view, narrow),
        (messages, a, b, c, d, as) => {
          const cells = cellsOf(messages)
          const { chunk, sketches } = survived(cells)
          const ranges = [...byKey(cells).values()]
          const [first, end] = [a % (ranges.length + 1), b % (ranges.length + 1)].sort((x, y) => x - y)
          const times = [...new Set(timesOf(cells)), 0]
          const [fromMs, toMs] = [times[c % times.length]!, times[d % times.length]!].sort((x, y) => x - y)
          const range = { fromMs: fromMs!, toMs: toMs! }
          const found = chunk.rowsOfKeys(first!, end!, range, as, sketches).flatMap(rowsIn)
          const wanted = ranges.slice(first, end).flatMap((own) => {
            const rows = Array.from({ length: own.to - own.from }, (_, i) => own.from + i)
            const within = rows.filter((i) => {
              const timeMs = timesOf(cells)[i]!
              return timeMs >= range.fromMs && timeMs < range.toMs
            })
            return rowsOf(narrowCells(pickRows(cells, Uint32Array.from(within)), as))
          })
          expect(found).toEqual(wanted)
        },
      ),
    )
  })

  test(`any rows of a chunk of ${view.name} are read alone`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), fc.nat(), fc.nat(), (messages, a, b) => {
        const cells = cellsOf(messages)
        const { chunk, sketches } = survived(cells)
        expect(chunk.keys).toEqual([...byKey(cells).keys()])
        const [from, to] = [a % (cells.length + 1), b % (cells.length + 1)].sort((x, y) => x - y)
        expect(rowsIn(chunk.rowsAt(from!, to!, view, sketches))).toEqual(rowsOf(cells).slice(from, to))
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
  const { chunk, sketches } = survived(cells)
  const startMs = timesOf(cells)[0]!
  const minute = fc.integer({ min: -5, max: 1_445 })
  fc.assert(
    fc.property(minute, minute, fc.integer({ min: 0, max: 59_999 }), (from, to, ms) => {
      const range = { fromMs: startMs + from * 60_000 + ms, toMs: startMs + to * 60_000 + ms }
      const part = chunk.rowsOf('a', range, serviceMinute, sketches)!
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
const again = fc
  .tuple(fc.array(number, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 4 }), fc.boolean())
  .map(([values, times, byOne]) =>
    Float64Array.from(
      byOne
        ? values.flatMap((value) => Array<number>(20 * times).fill(value))
        : Array.from({ length: times }, () => values).flat(),
    ),
  )
const column = fc.oneof(
  again,
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
    fc.property(column, fc.nat(40), fc.nat(), fc.nat(), (values, period, a, b) => {
      const out = new ByteWriter()
      out.numbers(values, [], period)
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

test.for([
  { what: 'come again for each key', value: (i: number) => (i % 180) * 3.7 },
  { what: 'are the same for all rows of a key', value: (i: number) => Math.floor(i / 180) ** 2 + 0.5 },
])('numbers that $what take few bytes', ({ value }) => {
  const out = new ByteWriter()
  out.numbers(
    Float64Array.from({ length: 8 * 180 }, (_, i) => value(i)),
    [],
    180,
  )
  expect(out.take().length).toBeLessThan(180 * 8 + 16)
})

test('a day of minutes takes at most 110 bytes a cell without its sketches', () => {
  const [plain, ...sketches] = piecesOf(dayOfMinutes())
  expect(plain!.bytes.length / 1_440).toBeLessThan(110)
  expect(sketches.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1_440).toBeLessThan(40)
})

const piecesOf = (cells: Cells) =>
  encodeChunk(cells.view, ['a'], [{ cells, from: 0, to: cells.length }], PLACE)

test('a changed byte is found, wherever it is', () => {
  const [plain, sketches] = piecesOf(dayOfMinutes()) as [ChunkPiece, ChunkPiece]
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const flipped = ({ bytes }: ChunkPiece) => {
        const changed = new Uint8Array(bytes)
        changed[at % changed.length]! ^= flip
        return changed
      }
      expect(() => decodeChunk(serviceMinute, PLACE, flipped(plain))).toThrow('damaged')
      expect(() => decodeSketches(serviceMinute, PLACE, sketches.piece, flipped(sketches))).toThrow('damaged')
    }),
    { numRuns: 300 },
  )
})

test('a chunk of other columns is refused', () => {
  const [plain] = piecesOf(dayOfMinutes())
  expect(() => decodeChunk(hostMinute, PLACE, plain!.bytes)).toThrow('other columns')
})

test.for([{ file: 2 }, { first: 'b' }, { level: 1 }, { slice: 1 }])(
  'a chunk that lies elsewhere is damaged: %o',
  (moved) => {
    const [plain, sketches] = piecesOf(dayOfMinutes()) as [ChunkPiece, ChunkPiece]
    const place = { ...PLACE, ...moved }
    expect(() => decodeChunk(serviceMinute, place, plain.bytes)).toThrow('damaged')
    expect(() => decodeSketches(serviceMinute, place, sketches.piece, sketches.bytes)).toThrow('damaged')
  },
)

test('sketches of another column are damaged', () => {
  const [, cpu, ram] = piecesOf(dayOfMinutes()) as [ChunkPiece, ChunkPiece, ChunkPiece]
  expect(() => decodeSketches(serviceMinute, PLACE, ram.piece, cpu.bytes)).toThrow('damaged')
})
