import { fileURLToPath } from 'node:url'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { hasUser, hideUser } from '../../schemas/user-in-url.ts'
import { LocalStore } from './local.ts'
import type { OpenedStore } from './opened.ts'
import { openBucket, type S3Host } from './s3/open.ts'
import { type BucketPlace, parseBucketUrl } from './s3/place.ts'

/** What a URL names: a folder, a bucket, or nothing that this release can open, and why. */
export type StorePlace = { readonly folder: string } | BucketPlace | { readonly refused: string }

/** A folder stands as its path or as a `file://` URL, a bucket as `s3://BUCKET/PREFIX`. */
export function parseStoreUrl(url: string): StorePlace {
  if (hasUser(url)) return { refused: 'a URL names no user here, who has a password' }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) return { folder: url }
  if (scheme === 's3') return parseBucketUrl(url) ?? { refused: 'a bucket is named as s3://BUCKET/PREFIX' }
  if (scheme !== 'file') return { refused: `${scheme} is not known` }
  try {
    return { folder: fileURLToPath(url) }
  } catch (error) {
    return { refused: (error as Error).message }
  }
}

/** The store that `url` names, an absolute path or a URL. Throws `E_CONFIG` for what cannot be opened. */
export function openStore(
  url: string,
  host: { disk: Disk; random: Random; s3?: S3Host | undefined },
): OpenedStore {
  const { disk, random, s3 } = host
  const place = parseStoreUrl(url)
  const refuse = (why: string) => {
    const message = `the lake ${hideUser(url)} cannot be opened: ${why}; give a directory, a file:// or an s3:// URL`
    return new TidemarkError('E_CONFIG', message, { field: 'lake.url' })
  }
  if ('refused' in place) throw refuse(place.refused)
  if ('bucket' in place) {
    if (s3 === undefined) throw refuse('nothing was given to reach a bucket with')
    return openBucket(place, s3, host)
  }
  const store = new LocalStore(disk, place.folder, random)
  return {
    store,
    probe: async () => {},
    settle: () => store.settle(),
    requests: () => null,
    access: async () => null,
  }
}
