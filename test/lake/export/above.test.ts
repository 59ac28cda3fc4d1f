import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DataFile } from '../../../lake/delta/port.ts'
import { cellsAbove } from '../../../lake/export/above.ts'
import { writeExport } from '../../../lake/export/export.ts'
import { planExport } from '../../../lake/export/plan.ts'
import { encodeCells } from '../../../lake/parquet/cells.ts'
import { queryTables } from '../../../lake/query/catalog.ts'
import { batchRig, TICK_MS } from '../../batch/rig.ts'
import { expireOlder } from '../expire-older.ts'

type Rig = Awaited<ReturnType<typeof batchRig>>

const OLD_MS = Date.UTC(2026, 10, 10, 9)
const NEW_MS = Date.UTC(2026, 10, 22, 9, 30)

/** The rows of `service_minute` as CSV, sorted, with what stands above the published version, and how many ticks that is. */
async function exported(rig: Rig): Promise<{ rows: string[]; ticks: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-above-'))
  try {
    const tables = rig.tables()
    const [view] = tables.datasets[0]!.views
    const snapshot = await view!.published.snapshot()
    const above = (await cellsAbove(view!, snapshot))!
    const path = join(dir, 'above.parquet')
    await writeFile(path, encodeCells(above.cells))
    const table = queryTables(tables).find(({ name }) => name === 'service_minute')!
    const all = { fromMs: 0, toMs: Date.UTC(2027, 0), where: {} }
    const plan = {
      ...planExport(table, snapshot, all),
      instead: { path, columns: ['service', 'time_stamp'] },
    }
    const localPath = async (file: DataFile) => {
      const local = join(dir, file.path.replaceAll('/', '-'))
      await writeFile(local, await view!.published.readFile(file))
      return local
    }
    const out = join(dir, 'out.csv')
    await writeExport(plan, { localPath }, 'csv', out, new AbortController().signal)
    return { rows: (await readFile(out, 'utf8')).trim().split('\n').sort(), ticks: above.ticks }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

test('an export of a view before a run is what it is after it, whatever is late, expired or new', async () => {
  await using rig = await batchRig()
  for (const timeMs of [OLD_MS, OLD_MS + 1, NEW_MS]) await rig.send(timeMs)
  await rig.batch.run({ full: false })
  await expireOlder(rig, 7)
  await rig.batch.run({ full: false })
  const before = await exported(rig)
  expect(before.rows).toHaveLength(3)
  // Into cells that are published, into one that is frozen, and into new ones.
  for (const timeMs of [NEW_MS + 1, OLD_MS + 2, NEW_MS + 60_000, NEW_MS - 86_400_000]) {
    await rig.send(timeMs)
    await rig.clock.advance(TICK_MS)
  }
  const above = await exported(rig)
  expect(above.ticks).toBeGreaterThan(0)
  expect(above.rows).toHaveLength(5)
  await rig.batch.run({ full: false })
  expect(await exported(rig)).toEqual({ rows: above.rows, ticks: 0 })
})
