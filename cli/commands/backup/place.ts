import { resolve } from 'node:path'
import { parseStoreUrl } from '../../../lake/store/open.ts'
import type { OpenedStore } from '../../../lake/store/opened.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import type { Args, Io } from '../../command.ts'
import type { Host } from '../../compose/host.ts'
import { storeAt } from '../../compose/lake-store.ts'

/** Opens the folder or bucket of backups that a command names, alone. Throws `E_USAGE`, `E_CONFIG`. */
export function backupPlace(
  { operands, settings }: Args,
  io: Io,
  host: Omit<Host, 'logLine'>,
): OpenedStore & { readonly where: string } {
  const [where, ...more] = operands
  if (where === undefined || more.length > 0)
    throw new TidemarkError('E_USAGE', 'name the folder or bucket of the backups, like /mnt/backup')
  const place = parseStoreUrl(where)
  const opened = storeAt('folder' in place ? resolve(io.cwd, place.folder) : where, settings, host)
  return { ...opened, where }
}
