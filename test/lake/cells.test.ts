import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCells, describeCells, encodeCells, fileOfCells } from '../../lake/parquet/cells.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { type Cells, noCells, rowAt } from '../../schemas/cells.ts'
import { type Message, toColumns } from '../../schemas/message.ts'
import { defineView } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { nastyMessages, scores } from '../schemas/nasty-messages.ts'

const scoreMinute = defineView(scores, { name: 'score_minute', key: ['group'], quantiles: true })

function fold(messages: readonly Message[]): Cells {
  const cells = new CellFold(scoreMinute)
  cells.addAll(toColumns(scores, messages))
  return cells.cells()
}

const rowsOf = (cells: Cells) => Array.from({ length: cells.length }, (_, i) => rowAt(cells, i))

test('cells survive as a file, sketches and missing values included', async () => {
  await fc.assert(
    fc.asyncProperty(nastyMessages(scores), async (messages) => {
      const cells = fold(messages)
      const back = await decodeCells(scoreMinute, encodeCells(cells))
      expect(rowsOf(back)).toEqual(rowsOf(cells))
      expect(describeCells(cells).rows).toBe(cells.length)
    }),
    { numRuns: 30 },
  )
})

test('the file of several parts is that of them together', async () => {
  await fc.assert(
    fc.asyncProperty(nastyMessages(scores), fc.nat(3), async (messages, first) => {
      const all = new CellFold(scoreMinute)
      const parts = [messages.slice(0, first), [], messages.slice(first)].map(fold)
      for (const part of parts) all.merge(part)
      const { bytes, about } = fileOfCells(parts)
      expect(rowsOf(await decodeCells(scoreMinute, bytes))).toEqual(rowsOf(all.cells()))
      expect(about).toEqual(describeCells(fold(messages)))
    }),
    { numRuns: 30 },
  )
})

test('a file of no cells is read as none', async () => {
  expect((await decodeCells(scoreMinute, encodeCells(noCells(scoreMinute)))).length).toBe(0)
})

test('a file that lacks a column of the view is refused by name', async () => {
  const message = { names: ['a', 'b'], timeMs: 0, gauges: [1, 2, 3], agent: null, seq: null }
  const bytes = encodeCells(fold([message]))
  await expect(decodeCells(serviceMinute, bytes)).rejects.toThrow(/service/)
})

test('DuckDB reads sketches as lists of structs', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-cells-'))
  try {
    const message = (math: number) => ({
      names: ['a', 'b'],
      timeMs: 0,
      gauges: [math, 2, 3],
      agent: null,
      seq: null,
    })
    writeFileSync(join(dir, 'cells.parquet'), encodeCells(fold([message(1), message(1), message(2)])))
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const file = `read_parquet('${dir}/cells.parquet')`
    const reader = await connection.runAndReadAll(`SELECT to_json(math_sketch)::VARCHAR AS s FROM ${file}`)
    expect(reader.getRowObjectsJS()).toEqual([
      { s: '[{"bucket":65472,"count":2},{"bucket":65536,"count":1}]' },
    ])
  } finally {
    rmSync(dir, { recursive: true })
  }
})
