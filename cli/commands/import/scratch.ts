import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning } from '../../host/running.ts'

/** `import-PROCESS-RANDOM` */
const NAME = /^import-(\d+)-[0-9a-f]+$/

/** Makes a folder in `dir` for the files of this process, and removes those of processes that were killed. */
export async function ownScratch(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true })
  for (const name of await readdir(dir)) {
    const pid = NAME.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid)))
      await rm(join(dir, name), { recursive: true, force: true })
  }
  const own = join(dir, `import-${process.pid}-${randomBytes(8).toString('hex')}`)
  await mkdir(own)
  return own
}

/** A folder in the data directory for the files of this process; elsewhere where there is none, and none is to be made. */
export async function scratchFor(dataDir: string, isDry: boolean): Promise<string> {
  if (isDry && !existsSync(dataDir)) return mkdtemp(join(tmpdir(), 'tidemark-import-'))
  return ownScratch(join(dataDir, 'scratch'))
}
