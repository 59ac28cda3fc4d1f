import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Disk, DiskFile } from '../../schemas/ports/disk.ts'
import { diskError } from './disk-error.ts'
import { lockFile } from './lock.ts'

/** The disk of this machine; `lock` is how it locks. */
export function nodeDisk(lock: Disk['lock'] = lockFile): Disk {
  return {
    open: (async (path: string, options?: { create: true; secret?: true }) => {
      const handle = await absentAsNull(
        path,
        open(
          path,
          options?.create ? constants.O_RDWR | constants.O_CREAT : 'r+',
          options?.secret ? 0o600 : 0o666,
        ),
        options?.create === true,
      )
      return handle === null ? null : wrap(path, handle)
    }) as Disk['open'],
    readFile: (path) => absentAsNull(path, readFile(path)),
    async list(dir) {
      return ((await absentAsNull(dir, readdir(dir))) ?? []).sort()
    },
    async stat(path) {
      const found = await absentAsNull(path, stat(path))
      if (found === null) return null
      return { size: found.size, modifiedMs: Math.floor(found.mtimeMs), isFolder: found.isDirectory() }
    },
    makeDir,
    rename: (from, to) => named(to, rename(from, to)),
    async link(from, to) {
      try {
        await link(from, to)
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw diskError(to, error)
      }
    },
    remove: (path) => named(path, rm(path, { force: true })),
    syncDir,
    lock,
  }
}

/**
 * Folder by folder: Node's own `recursive` tries for ever, on a thread that nothing can stop, where a folder answers that it is absent
 * when one is made in it. A folder's own name is durable only once the one above is synced.
 */
async function makeDir(dir: string): Promise<void> {
  const missing: string[] = []
  for (let folder = dir; (await folderAt(folder)) === null; folder = dirname(folder)) missing.push(folder)
  for (const folder of missing.reverse()) {
    try {
      await mkdir(folder)
    } catch (error) {
      // Another process may have made it; a link to nothing is there as well.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || (await folderAt(folder)) === null)
        throw diskError(folder, error)
    }
    await syncDir(dirname(folder))
  }
}

/** Null when nothing is there. Throws `E_DISK` when it is no folder. */
async function folderAt(path: string): Promise<string | null> {
  const found = await absentAsNull(path, stat(path))
  if (found === null || found.isDirectory()) return found && path
  throw new TidemarkError('E_DISK', `${path} is a file, not a folder`)
}

function wrap(path: string, handle: FileHandle): DiskFile {
  return {
    size: async () => (await named(path, handle.stat())).size,
    async read(offset, length) {
      const bytes = Buffer.allocUnsafe(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await named(path, handle.read(bytes, filled, length - filled, offset + filled))
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    },
    async write(offset, bytes) {
      let written = 0
      while (written < bytes.length) {
        const left = bytes.length - written
        const { bytesWritten } = await named(path, handle.write(bytes, written, left, offset + written))
        written += bytesWritten
      }
    },
    sync: () => named(path, handle.datasync()),
    truncate: (size) => named(path, handle.truncate(size)),
    close: () => named(path, handle.close()),
  }
}

async function syncDir(dir: string): Promise<void> {
  const handle = await named(dir, open(dir, 'r'))
  try {
    await named(dir, handle.sync())
  } finally {
    await handle.close()
  }
}

async function named<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw diskError(path, error)
  }
}

async function absentAsNull<T>(path: string, work: Promise<T>, absentIsError = false): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (!absentIsError && (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw diskError(path, error)
  }
}
