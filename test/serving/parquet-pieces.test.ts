import { expect, test } from 'vitest'
import { indexThread } from '../../cli/host/index-thread.ts'
import type { FileColumn } from '../../lake/parquet/cells.ts'
import { decodeParquet } from '../../lake/parquet/codec.ts'
import { type CellColumn, columnOf } from '../../schemas/cell-column.ts'
import { loadHere } from '../../serving/index/loader.ts'
import { parquetPieces } from '../../serving/parquet-pieces.ts'

const COLUMNS: FileColumn[] = [
  { name: 'name', type: 'string', nullable: false },
  { name: 'value', type: 'double', nullable: true },
  { name: 'count', type: 'long', nullable: true },
  { name: 'on', type: 'boolean', nullable: false },
]

/** Three parts of two rows; `made` says how many there were asked for. */
function* parts(made: { count: number }): Generator<readonly CellColumn[]> {
  for (let i = 0; i < 3; i++) {
    made.count++
    yield [
      columnOf('string', [`a${i}`, 'b']),
      columnOf('double', [i, null]),
      columnOf('long', [null, i]),
      columnOf('double', [1, 0]),
    ]
  }
}

test.each([
  ['in this thread', loadHere],
  ['in another', indexThread],
])('a file in pieces is whole, made as fast as it is taken, %s', async (_where, open) => {
  const loader = open()
  const made = { count: 0 }
  const pieces: Uint8Array[] = []
  for await (const piece of parquetPieces(loader, COLUMNS, parts(made))) {
    pieces.push(piece)
    expect(made.count).toBe(Math.min(3, pieces.length))
  }
  expect(await decodeParquet(Buffer.concat(pieces))).toEqual({
    name: ['a0', 'b', 'a1', 'b', 'a2', 'b'],
    value: [0, null, 1, null, 2, null],
    count: [null, 0, null, 1, null, 2],
    on: [true, false, true, false, true, false],
  })
  await loader.close()
})

test('what nobody takes to its end is dropped', async () => {
  const dropped: number[] = []
  const loader = { ...loadHere(), dropParquet: async (id: number) => void dropped.push(id) }
  const made = { count: 0 }
  for await (const _ of parquetPieces(loader, COLUMNS, parts(made))) break
  expect([made.count, dropped]).toEqual([1, [1]])
})
