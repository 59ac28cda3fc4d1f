import { join } from 'node:path'
import type { Disk } from '../../schemas/ports/disk.ts'
import { replaceFile } from '../host/replace-file.ts'

/** What `up` says of itself in `DATA/addresses.json` from ready to stopped. */
export interface Addresses {
  /** Where agents connect: `host:port`. */
  readonly collector: string
  /** Where pages and API are: a URL without a slash at its end. */
  readonly serving: string
  /** The certificate that it shows where it speaks TLS, in PEM. */
  readonly serving_certificate?: string
}

const fileIn = (dataDir: string) => join(dataDir, 'addresses.json')

export async function writeAddresses(disk: Disk, dataDir: string, addresses: Addresses): Promise<void> {
  await replaceFile(disk, fileIn(dataDir), `${JSON.stringify(addresses)}\n`)
}

export async function removeAddresses(disk: Disk, dataDir: string): Promise<void> {
  await disk.remove(fileIn(dataDir))
}

/** Null when no `up` is ready there, as far as the file tells: one that was killed leaves it behind. */
export async function readAddresses(disk: Disk, dataDir: string): Promise<Addresses | null> {
  const bytes = await disk.readFile(fileIn(dataDir))
  try {
    return bytes === null ? null : (JSON.parse(new TextDecoder().decode(bytes)) as Addresses)
  } catch {
    return null
  }
}
