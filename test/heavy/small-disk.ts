import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp, rm, statfs, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needs } from './needs.ts'

export const MIB = 1 << 20

/** Mounts a file system of so many bytes on `dir`. */
function mount(dir: string, bytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir], { stdio: 'ignore' })
}

function mayMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-mount-'))
  try {
    mount(dir, MIB)
    execFileSync('umount', [dir])
    return true
  } catch {
    return false
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export const canMount = needs('leave to mount a small file system', mayMount())

/** A small disk, filled but for `freeBytes` by a file that can be removed. */
export async function smallDisk(bytes: number, freeBytes: number) {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-full-'))
  mount(dir, bytes)
  const [ballast, filler] = [join(dir, 'ballast'), join(dir, 'filler')]
  const free = async () => {
    const { bavail, bsize } = await statfs(dir)
    return bavail * bsize
  }
  const fillBy = async (path: string, leftBytes: number) =>
    writeFile(path, Buffer.alloc(Math.max(0, (await free()) - leftBytes), 1))
  await fillBy(ballast, freeBytes)
  return {
    dir,
    free,
    /** Fills what is free but for `leftBytes`, until `unfill`. */
    fill: (leftBytes: number) => fillBy(filler, leftBytes),
    unfill: () => rm(filler),
    makeRoom: () => truncate(ballast, 0),
    async [Symbol.asyncDispose]() {
      execFileSync('umount', ['-l', dir])
      await rm(dir, { recursive: true, force: true })
    },
  }
}
