import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SketchColumn } from '../../schemas/cell-column.ts'
import { bucketOf } from '../../schemas/measures/buckets.ts'
import { Sketches } from '../../schemas/measures/sketches.ts'

type Pairs = Map<number, number>

/** Values of a block: which row each goes to, none where it is negative, and what it is. */
const block = fc.array(
  fc.tuple(
    fc.integer({ min: -1, max: 5 }),
    fc.oneof(fc.constantFrom(Number.NaN, 0, -0, 1, 1e15, -1e15), fc.integer({ min: -20, max: 20 })),
  ),
  { maxLength: 60 },
)

function fold(into: Sketches, model: Pairs[], values: readonly (readonly [number, number])[]): void {
  into.fold(
    Int32Array.from(values, ([row]) => row),
    values.length,
    Float64Array.from(values, ([, value]) => value),
  )
  for (const [row, value] of values)
    if (row >= 0 && !Number.isNaN(value)) count(model[row]!, bucketOf(value), 1)
}

const count = (pairs: Pairs, bucket: number, more: number) =>
  void pairs.set(bucket, (pairs.get(bucket) ?? 0) + more)

function rowsOf(column: SketchColumn): [number, number][][] {
  return Array.from({ length: column.offsets.length - 1 }, (_, i) =>
    Array.from({ length: column.offsets[i + 1]! - column.offsets[i]! }, (_, k) => {
      const at = column.offsets[i]! + k
      return [column.buckets[at]!, column.counts[at]!]
    }),
  )
}

const modelRows = (model: readonly Pairs[]) => model.map((pairs) => [...pairs].sort(([a], [b]) => a - b))
const take = (sketches: Sketches, rows: readonly number[]) =>
  sketches.take(Uint32Array.from(rows))[0] as SketchColumn

test('sketches count the buckets of each row, whenever they are asked and however cells are added', () => {
  const step = fc.oneof(
    block.map((values) => ({ values, asked: false, merged: null })),
    block.map((values) => ({ values, asked: true, merged: null })),
    // Several rows of cells may go to the same.
    fc.record({
      values: block,
      asked: fc.constant(false),
      merged: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 6, maxLength: 6 }),
    }),
    fc.record({
      values: block,
      asked: fc.constant(false),
      merged: fc.integer({ min: 0, max: 5 }).map((row) => Array.from({ length: 6 }, () => row)),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const rows = [0, 1, 2, 3, 4, 5]
      const [sketches, model] = [new Sketches(), rows.map((): Pairs => new Map())]
      sketches.reserve(6)
      for (const { values, asked, merged } of steps) {
        if (merged !== null) {
          const [other, own] = [new Sketches(), rows.map((): Pairs => new Map())]
          other.reserve(6)
          fold(other, own, values)
          sketches.merge(Int32Array.from(merged), [take(other, rows)], 0, 6)
          for (const row of rows)
            for (const [bucket, more] of own[row]!) count(model[merged[row]!]!, bucket, more)
        } else fold(sketches, model, values)
        if (asked) expect(rowsOf(take(sketches, [5, 2]))).toEqual(modelRows([model[5]!, model[2]!]))
      }
      expect(rowsOf(take(sketches, rows))).toEqual(modelRows(model))
    }),
  )
})

test('many values of few rows and many rows of few values are counted too', () => {
  const [sketches, model] = [new Sketches(), Array.from({ length: 5_000 }, (): Pairs => new Map())]
  for (let round = 0; round < 40; round++) {
    // Rows come bit by bit, and the first ones again and again.
    const rows = Math.min(5_000, (round + 1) * 200)
    sketches.reserve(rows)
    const values = Array.from({ length: 2_000 }, (_, i): [number, number] => {
      return [i % 2 === 0 ? (i * 7) % rows : i % 3, ((round * 31 + i) * 7_919) % 997]
    })
    fold(sketches, model, values)
  }
  const rows = Array.from({ length: 5_000 }, (_, row) => row)
  expect(rowsOf(take(sketches, rows))).toEqual(modelRows(model))
})

test('sketches of many buckets are merged into rows that have none, some waiting, or many', () => {
  const [sketches, model] = [new Sketches(), [0, 1, 2].map((): Pairs => new Map())]
  sketches.reserve(3)
  fold(sketches, model, [[1, 7]])
  for (let round = 0; round < 30; round++) {
    const other = new Sketches()
    other.reserve(3)
    const values = Array.from({ length: 400 }, (_, i): [number, number] => [
      i % 3,
      ((round * 31 + i) * 7_919) % 997,
    ])
    fold(other, model, values)
    sketches.merge(Int32Array.of(0, 1, 2), [take(other, [0, 1, 2])], 0, 3)
    if (round % 7 === 0) expect(rowsOf(take(sketches, [1]))).toEqual(modelRows([model[1]!]))
  }
  expect(rowsOf(take(sketches, [0, 1, 2]))).toEqual(modelRows(model))
})
