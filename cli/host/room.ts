import { statfs } from 'node:fs/promises'

/** The file system that holds a folder: bytes that ordinary users may still fill, and all. */
export async function roomOf(dir: string): Promise<{ free: number; size: number }> {
  const { bavail, blocks, bsize } = await statfs(dir)
  return { free: bavail * bsize, size: blocks * bsize }
}
