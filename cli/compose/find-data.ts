import { TidemarkError } from '../../schemas/errors.ts'
import { nodeDisk } from '../host/disk.ts'
import type { Settings } from '../settings/settings.ts'

/** Throws `E_NOT_FOUND` where neither the data directory is there nor a lake elsewhere is named. */
export async function findData(settings: Settings): Promise<void> {
  const dir = settings.dataDir()
  if (settings.text('lake.url') !== '' || (await nodeDisk().stat(dir)) !== null) return
  throw new TidemarkError('E_NOT_FOUND', `there is no data directory ${dir}`, {
    hint: 'name the one that `tidemark up` has, by --data',
  })
}
