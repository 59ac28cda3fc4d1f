import { dirname } from 'node:path'
import type { Disk } from '../../schemas/ports/disk.ts'

/**
 * Makes `text` the content of the file `path`, `secret` for its owner's eyes alone: durable when it resolves, and never half
 * written. Throws `E_DISK`, `E_DISK_FULL`.
 */
export async function replaceFile(
  disk: Disk,
  path: string,
  text: string,
  { secret = false }: { secret?: boolean } = {},
): Promise<void> {
  const fresh = `${path}.new`
  // What another process left there may be readable for all.
  await disk.remove(fresh)
  const file = await disk.open(fresh, { create: true, ...(secret && { secret: true }) })
  try {
    await file.write(0, new TextEncoder().encode(text))
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(fresh, path)
  await disk.syncDir(dirname(path))
}
