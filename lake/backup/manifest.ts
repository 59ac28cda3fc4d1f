import { TidemarkError } from '../../schemas/errors.ts'
import type { ObjectStore } from '../store/port.ts'

/**
 * A backup is one file that names all others by their content, which lies beside it once for all backups:
 *
 *     backups/<time>.json        the manifest: which file has which content; written last, and with it the backup is there
 *     objects/<ab>/<sha256>      content by its SHA-256, in hexadecimal digits
 */
export interface Manifest {
  readonly format: 1
  /** When it was begun, ISO 8601: everything acknowledged before is in it. */
  readonly time: string
  /** Versions of the lake's tables. */
  readonly tables: { readonly [table: string]: number }
  readonly files: readonly BackupFile[]
}

export interface BackupFile {
  /** Below the data directory, with `/` between parts; the lake lies in `lake/`, wherever it lay. */
  readonly path: string
  readonly size: number
  readonly sha256: string
  /** When the object of the lake was written that it was read from, milliseconds since 1970; older backups lack it. */
  readonly modified_ms?: number
}

const FOLDER = 'backups/'
const NAME = /^backups\/(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z)\.json$/

/** The name of a backup that was begun at a time, ISO 8601; names sort by time. */
export function manifestKey(time: string): string {
  return `${FOLDER}${time.replaceAll(':', '-')}.json`
}

export function objectKey(sha256: string): string {
  return `objects/${sha256.slice(0, 2)}/${sha256}`
}

/** The backups in `store` as keys of their manifests, the oldest first. */
export async function listManifests(store: ObjectStore): Promise<string[]> {
  return (await store.list(FOLDER)).map(({ key }) => key).filter((key) => NAME.test(key))
}

/** The time in the name of a backup, ISO 8601. */
export function timeOf(key: string): string {
  return NAME.exec(key)![1]!.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:')
}

/** Throws `E_BACKUP` for what is none. */
export async function readManifest(store: ObjectStore, key: string): Promise<Manifest> {
  const bytes = await store.get(key)
  const manifest = bytes === null ? null : parseManifest(bytes)
  if (manifest === null)
    throw new TidemarkError('E_BACKUP', `${key} is no manifest of a backup that this release knows`)
  return manifest
}

function parseManifest(bytes: Uint8Array): Manifest | null {
  try {
    const { format, time, tables, files } = JSON.parse(new TextDecoder().decode(bytes)) as Manifest
    const right =
      format === 1 && typeof time === 'string' && typeof tables === 'object' && files.every(isFile)
    return right ? { format, time, tables, files } : null
  } catch {
    return null
  }
}

/** A path that leads out of the directory is no file of a backup. */
function isFile({ path, size, sha256 }: BackupFile): boolean {
  const parts = path.split('/')
  const isInside = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))
  return isInside && Number.isSafeInteger(size) && /^[0-9a-f]{64}$/.test(sha256)
}
