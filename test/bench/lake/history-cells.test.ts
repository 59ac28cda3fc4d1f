import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashOfCells } from '../../../bench/lake/cells.ts'
import { readTable } from '../../../bench/lake/delta.ts'
import { writeHistory } from '../../../bench/lake/history.ts'
import { writeHistoryCells } from '../../../bench/lake/history-cells.ts'
import { openDuckdb } from '../../../bench/lake/made.ts'
import { copySql, FLOOR_VIEWS } from '../../../bench/recompute/floor-sql.ts'
import { oneMessage } from '../../../bench/recompute/recompute.ts'
import { viewColumns } from '../../../schemas/view-columns.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'

const VIEWS = [serviceMinute, hostMinute]

/** A table of a view that has columns and no file. */
async function emptyTable(dir: string, fields: readonly { readonly name: string }[]) {
  await mkdir(join(dir, '_delta_log'), { recursive: true })
  const metaData = { schemaString: JSON.stringify({ fields: [...fields, { name: 'date' }] }) }
  await writeFile(join(dir, '_delta_log', `${'0'.repeat(20)}.json`), `${JSON.stringify({ metaData })}\n`)
}

test('cells that are written straight are those of the messages of the same history, in the same order', async () => {
  const lake = await mkdtemp(join(tmpdir(), 'tidemark-history-cells-'))
  using duckdb = await openDuckdb()
  const { db } = duckdb
  const history = oneMessage(2, 3)
  try {
    for (const view of VIEWS) await emptyTable(join(lake, view.name), viewColumns(view))
    await mkdir(join(lake, 'messages', '_delta_log'), { recursive: true })
    await writeHistory(db, lake, history)
    const messages = (await readTable(join(lake, 'messages')))!.files.map(({ path }) => path)

    await writeHistoryCells(db, lake, history)

    for (const view of FLOOR_VIEWS) {
      const { files, columns } = (await readTable(join(lake, view.name)))!
      const own = columns.filter((name) => name !== 'date')
      const paths = files.map(({ path }) => path)
      const byHand = join(lake, `${view.name}.parquet`)
      await db.run(copySql(view, own, { messages, to: byHand }))
      expect(files.map(({ rows }) => rows)).toEqual([3 * 1_440, 3 * 1_440])
      expect(await hashOfCells(db, paths, own, history.startMs)).toBe(
        await hashOfCells(db, [byHand], own, history.startMs),
      )
      const order = [...view.keys, 'time_stamp'].join(', ')
      const first = `SELECT ${order} FROM read_parquet('${paths[0]}')`
      const rows = async (sql: string) => (await db.runAndReadAll(sql)).getRowsJson()
      expect(await rows(first)).toEqual(await rows(`${first} ORDER BY ${order}`))
    }
  } finally {
    await rm(lake, { recursive: true })
  }
}, 60_000)

test('a history of more than one message a cell is refused', async () => {
  using duckdb = await openDuckdb()
  const history = { ...oneMessage(1, 2), hosts: 4 }
  await expect(writeHistoryCells(duckdb.db, '/nowhere', history)).rejects.toThrow('one host a service')
})
