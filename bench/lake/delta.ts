import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/**
 * The lake as a stranger reads it: Delta's log, JSON alone. Made for lakes that a benchmark has just written, whose log
 * still has every commit; nobody else has them open.
 */

/** A data file of the newest version. */
export interface LiveFile {
  readonly path: string
  readonly rows: number
  readonly bytes: number
  /** The date of its partition; absent where the table has none. */
  readonly date?: string
}

export interface LakeTable {
  readonly version: number
  /** Live files by date and path; paths are those of the disk. */
  readonly files: readonly LiveFile[]
  /** Names of all columns, that of the partition included. */
  readonly columns: readonly string[]
}

interface Add {
  readonly path: string
  readonly size: number
  readonly stats?: string
  readonly partitionValues: { readonly date?: string }
}

/** Null where there is no such table. */
export async function readTable(dir: string): Promise<LakeTable | null> {
  const log = join(dir, '_delta_log')
  const names = await commitsOf(dir)
  if (names.length === 0) return null
  const live = new Map<string, LiveFile>()
  let columns: string[] = []
  for (const name of names) {
    for (const line of (await readFile(join(log, name), 'utf8')).split('\n')) {
      if (line === '') continue
      const { add, remove, metaData } = JSON.parse(line)
      if (add) live.set(add.path, liveFile(dir, add))
      if (remove) live.delete(remove.path)
      if (metaData)
        columns = JSON.parse(metaData.schemaString).fields.map((field: { name: string }) => field.name)
    }
  }
  const place = ({ date, path }: LiveFile) => `${date} ${path}`
  const files = [...live.values()].sort((a, b) => (place(a) < place(b) ? -1 : 1))
  return { version: names.length - 1, files, columns }
}

function liveFile(dir: string, { path, size, stats, partitionValues: { date } }: Add): LiveFile {
  const { numRecords = 0 } = JSON.parse(stats ?? '{}')
  const found = { path: join(dir, decodeURIComponent(path)), rows: numRecords, bytes: size }
  return date === undefined ? found : { ...found, date }
}

async function commitsOf(dir: string): Promise<string[]> {
  const names = await readdir(join(dir, '_delta_log')).catch(() => [])
  return names.filter((name) => /^\d{20}\.json$/.test(name)).sort()
}

/** A data file that is written and not yet part of a version; the path is relative to the table. */
export interface NewFile {
  readonly path: string
  readonly rows: number
  readonly date: string
  readonly minTime: string
  readonly maxTime: string
  readonly tags: { readonly [name: string]: string }
}

/** Commits files as the next version. `txns` are those of the commit. */
export async function commitFiles(
  dir: string,
  files: readonly NewFile[],
  txns: { readonly [appId: string]: number },
): Promise<void> {
  const version = (await commitsOf(dir)).length
  const nowMs = Date.now()
  const info = { timestamp: nowMs, operation: 'WRITE', operationParameters: {}, txnId: randomUUID() }
  const actions: object[] = [{ commitInfo: info }]
  for (const [appId, value] of Object.entries(txns))
    actions.push({ txn: { appId, version: value, lastUpdated: nowMs } })
  for (const { path, rows, date, minTime, maxTime, tags } of files) {
    const bytes = await readFile(join(dir, path))
    const stats = {
      numRecords: rows,
      minValues: { time_stamp: minTime },
      maxValues: { time_stamp: maxTime },
      nullCount: {},
    }
    actions.push({
      add: {
        path,
        partitionValues: { date },
        size: bytes.length,
        modificationTime: nowMs,
        dataChange: true,
        stats: JSON.stringify(stats),
        tags: { ...tags, crc32: crc32(bytes).toString(16).padStart(8, '0') },
      },
    })
  }
  const text = actions.map((action) => `${JSON.stringify(action)}\n`).join('')
  await writeFile(join(dir, '_delta_log', `${String(version).padStart(20, '0')}.json`), text, { flag: 'wx' })
}

/** The app of an imported file, by what is in it. */
export const importApp = (content: string) => `import/${createHash('sha256').update(content).digest('hex')}`
