import fs from 'node:fs'
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { CoreTimes, Machine } from '../../schemas/ports/machine.ts'

/** Where Linux shows the control groups of version 2; in a container that of the container. */
const CONTROL_GROUP_DIR = '/sys/fs/cgroup'
/** What statfs calls ZFS, whose data sets share a pool: only `zfs` knows what is used of it, and systeminformation asks it. */
const ZFS_TYPE = 0x2fc12fc1

/** The part of systeminformation that every sample needs. All of it takes a megabyte more. */
export const MEMORY_PART: string = 'systeminformation/lib/memory.js'

/** The machine that this process runs on. */
export function nodeMachine(controlGroupDir = CONTROL_GROUP_DIR): Machine {
  let memoryPart: Promise<MemoryPart> | undefined
  return {
    monotonicMs: () => performance.now(),
    coreTimes,
    async memory() {
      memoryPart ??= loadMemoryPart()
      const { total, available } = await (await memoryPart).mem()
      return { total, available }
    },
    rootDisk,
    async controlGroupFile(name) {
      try {
        return await readFile(join(controlGroupDir, name), 'utf8')
      } catch (error) {
        if (isAbsent(error)) return null
        throw error
      }
    },
  }
}

type MemoryPart = Pick<typeof import('systeminformation'), 'mem'>

/** A release that has it elsewhere is loaded as a whole. */
async function loadMemoryPart(): Promise<MemoryPart> {
  try {
    return await import(MEMORY_PART)
  } catch {
    return await import('systeminformation')
  }
}

function coreTimes(): CoreTimes {
  let busyMs = 0
  let idleMs = 0
  const all = cpus()
  for (const { times } of all) {
    busyMs += times.user + times.nice + times.sys + times.irq
    idleMs += times.idle
  }
  return { busyMs, allMs: busyMs + idleMs, cores: all.length }
}

/**
 * By statfs, which looks at no other mount: `df` waits for each, for ever where one is of a dead server. Node has it since
 * 18.15.
 */
async function rootDisk(): Promise<{ used: number; available: number }> {
  const found = await fs.promises.statfs?.('/')
  if (found === undefined || found.type === ZFS_TYPE) return rootDiskOfDf()
  const { bsize, blocks, bfree, bavail } = found
  return { used: (blocks - bfree) * bsize, available: bavail * bsize }
}

async function rootDiskOfDf(): Promise<{ used: number; available: number }> {
  const { fsSize } = await import('systeminformation')
  const root = (await fsSize()).find(({ mount }) => mount === '/')
  if (root === undefined) throw new Error('df says nothing of /')
  return { used: root.used, available: root.available }
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}
