import { mkdtempDisposable, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lookAt } from '../../../cli/commands/import/files.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import type { Table } from '../../../lake/delta/port.ts'
import { Importing } from '../../../lake/import/importer.ts'
import type { ImportOptions } from '../../../lake/import/named-column.ts'
import type { Dataset } from '../../../schemas/dataset.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { SimClock } from '../../sim/clock.ts'

/** What a file is taken for, its first rows with times in ISO, and what was refused and kept. */
export async function taken(
  content: string | Uint8Array,
  options: Partial<ImportOptions> = {},
  dataset: Dataset = host,
) {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tidemark-taken-'))
  const dir = folder.path
  await writeFile(join(dir, 'file'), content)
  const file = await lookAt({ path: join(dir, 'file'), name: 'file' }, null, dir)
  const importing = await Importing.read(
    file,
    { map: {}, set: {}, timeFormat: null, zone: 'UTC', header: null, ...options },
    {
      dataset,
      messages: null as unknown as Table,
      clock: new SimClock(Date.UTC(2026, 10, 23)),
      scratch: { disk: nodeDisk(), removeTree: (path) => rm(path, { recursive: true, force: true }) },
      dir: join(dir, 'scratch'),
      signal: new AbortController().signal,
    },
  )
  try {
    const { firstRows, fractions, source, staged } = importing.preview
    const [words, values, repeated] = [source.series?.words, source.series?.values, source.series?.repeated]
    const kept = join(dir, 'kept.csv')
    if (staged.refused.length > 0) await importing.keepRefused(kept)
    const time = (row: readonly unknown[]) =>
      row.map((v, i) => (i === 2 ? new Date(v as number).toJSON() : v))
    return {
      accepted: staged.accepted,
      words,
      values,
      repeated,
      rows: firstRows.map(time),
      refused: staged.refused,
      fractions,
      kept: staged.refused.length > 0 ? await readFile(kept, 'utf8') : '',
    }
  } finally {
    await importing.close()
  }
}
