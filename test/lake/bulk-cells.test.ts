import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { nodeDisk } from '../../cli/host/disk.ts'
import { BULK_BYTES, bulkCells } from '../../lake/parquet/bulk-cells.ts'
import { decodeCells, encodeCells } from '../../lake/parquet/cells.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { type Cells, rowAt } from '../../schemas/cells.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Message, toColumns } from '../../schemas/message.ts'
import { defineView, type View } from '../../schemas/view.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { scores } from '../schemas/nasty-messages.ts'

const scoreMinute = defineView(scores, { name: 'score_minute', key: ['group'], quantiles: true })
const rowsOf = (cells: Cells) => Array.from({ length: cells.length }, (_, i) => rowAt(cells, i))

/** Files are written beside `scratch`; nothing of it is left. */
function reader() {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-bulk-'))
  const scratch = join(dir, 'it’s loading')
  const bulk = bulkCells(scratch, nodeDisk())
  onTestFinished(async () => {
    await bulk.close()
    expect(existsSync(scratch)).toBe(false)
    rmSync(dir, { recursive: true })
  })
  return bulk
}

function cellsOf(view: View, dataset: typeof host, message: (i: number) => Partial<Message>): Cells {
  const fold = new CellFold(view)
  const messages = Array.from({ length: 6_000 }, (_, i): Message => {
    return { names: [], timeMs: i * 61_007, gauges: [], agent: null, seq: null, ...message(i) }
  })
  fold.addAll(toColumns(dataset, messages))
  return fold.cells()
}

const hostCells = (view: View) =>
  cellsOf(view, host, (i) => ({
    names: [`it's "${i % 7}"`, `höst-${(i * 31) % 400}`],
    gauges: [(i * 7_919) % 101, ((i * 104_729) % 10_007) / 100, 1e15 / (i + 1)],
  }))

const scoreCells = () =>
  cellsOf(scoreMinute, scores, (i) => ({
    names: scores.source === null ? [`g${i % 3}`, 'x'] : [`g${i % 3}`, 'x', `s${i}`],
    gauges: scores.gauges.map(({ optional }, g) => (optional && i % 3 > 0 ? Number.NaN : -i * (g + 0.5))),
  }))

for (const cells of [hostCells(serviceMinute), hostCells(hostMinute), scoreCells()]) {
  test(`a large file of ${cells.view.name} is decoded in bulk to the same cells`, async () => {
    const bulk = reader()
    const bytes = encodeCells(cells)
    expect(bytes.length).toBeGreaterThan(BULK_BYTES)
    const decoded = await bulk.decode(cells.view, bytes)
    expect(rowsOf(decoded)).toEqual(rowsOf(cells))
    expect(bulk.files).toBe(1)
  })
}

test('a small file, and one that DuckDB cannot read, are decoded or refused all the same', async () => {
  const bulk = reader()
  const cells = hostCells(serviceMinute)
  const few = encodeCells({ ...cells, ...first(cells, 3) })
  expect(rowsOf(await bulk.decode(serviceMinute, few))).toEqual(rowsOf(await decodeCells(serviceMinute, few)))
  await expect(bulk.decode(scoreMinute, encodeCells(cells))).rejects.toThrow(/group/)
  await expect(bulk.decode(serviceMinute, new Uint8Array(2 * BULK_BYTES))).rejects.toThrow()
  expect(bulk.files).toBe(0)
})

/** The cells of the first messages alone would be others: rows are cut off. */
function first(cells: Cells, length: number): Pick<Cells, 'length' | 'columns'> {
  return {
    length,
    columns: cells.columns.map((column) => {
      if (column.type === 'sketch') return { ...column, offsets: column.offsets.slice(0, length + 1) }
      if (column.type === 'string')
        return { ...column, values: { ...column.values, places: column.values.places.slice(0, length) } }
      return { ...column, values: column.values.slice(0, length) }
    }),
  }
}
