import { describeError } from '../schemas/errors.ts'
import type { Disk } from '../schemas/ports/disk.ts'
import { fullAsListed, isDamaged, openToRead } from './index/database.ts'
import type { IndexLoader } from './index/loader.ts'
import { ChunkReader } from './index/reader.ts'

/**
 * Opens the index with `views` alone in it; one that SQLite cannot read is a cache that is lost, and begun anew. Throws `E_DISK_FULL`.
 */
export async function openIndex(
  indexPath: string,
  { disk, logLine }: { readonly disk?: Disk; logLine(line: string): void },
  loader: IndexLoader,
  views: readonly string[],
): Promise<ChunkReader> {
  const open = async () => {
    try {
      const db = await loader.open(indexPath)
      await loader.dropViews(views)
      return new ChunkReader(db ?? openToRead(indexPath))
    } catch (error) {
      await loader.close()
      throw fullAsListed(indexPath, error)
    }
  }
  try {
    return await open()
  } catch (error) {
    if (disk === undefined || !isDamaged(error)) throw error
    logLine(`serving: ${indexPath} is damaged (${describeError(error)}) and made anew from the lake`)
    await removeIndex(indexPath, disk)
    return open()
  }
}

/** Removes the file of an index and those beside it. */
export async function removeIndex(indexPath: string, disk: Disk): Promise<void> {
  for (const end of ['', '-wal', '-shm']) await disk.remove(`${indexPath}${end}`)
}
