import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
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
