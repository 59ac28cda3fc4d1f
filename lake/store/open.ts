import { fileURLToPath } from 'node:url'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { LocalStore } from './local.ts'
import type { ObjectStore } from './port.ts'

/** What a URL names: a folder, or nothing that this release can open, and why. */
export type StorePlace = { readonly folder: string } | { readonly refused: string }

/** A store that nothing was changed in yet. */
export interface OpenedStore {
  readonly store: ObjectStore
  /**
   * Finishes or removes what a process that died was writing; makes the place where there is none. Only the one process that
   * writes may: it would take away what another is writing.
   */
  settle(): Promise<void>
}

/** A folder stands as its path or as a `file://` URL. */
export function parseStoreUrl(url: string): StorePlace {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) return { folder: url }
  if (scheme === 's3') return { refused: 'a lake in a bucket cannot be opened yet' }
  if (scheme !== 'file') return { refused: `${scheme} is not known` }
  try {
    return { folder: fileURLToPath(url) }
  } catch (error) {
    return { refused: (error as Error).message }
  }
}

/** The store that `url` names, an absolute path or a URL. Throws `E_CONFIG` for what cannot be opened. */
export function openStore(url: string, { disk, random }: { disk: Disk; random: Random }): OpenedStore {
  const place = parseStoreUrl(url)
  if ('refused' in place) {
    throw new TidemarkError(
      'E_CONFIG',
      `the lake ${url} cannot be opened: ${place.refused}; give a directory or a file:// URL`,
      { field: 'lake.url' },
    )
  }
  const store = new LocalStore(disk, place.folder, random)
  return { store, settle: () => store.settle() }
}
