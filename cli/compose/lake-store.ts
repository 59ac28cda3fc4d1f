import { join } from 'node:path'
import { openStore, parseStoreUrl } from '../../lake/store/open.ts'
import type { OpenedStore } from '../../lake/store/opened.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { nodeHttp } from '../host/http.ts'
import type { Settings } from '../settings/settings.ts'
import type { Host } from './host.ts'

/** The store of the lake that the settings name, wherever it lies. Throws `E_CONFIG`. */
export function lakeStore(settings: Settings, host: Omit<Host, 'logLine'>): OpenedStore {
  return storeAt(settings.lakeDir(), settings, host)
}

/** Whether the lake's owner pays for each look at it. */
export function isPaid(settings: Settings): boolean {
  return 'bucket' in parseStoreUrl(settings.lakeDir())
}

/** The store that `url` names, a folder or a bucket that the settings of the lake's bucket open. Throws `E_CONFIG`. */
export function storeAt(
  url: string,
  settings: Settings,
  { disk, clock, random }: Omit<Host, 'logLine'>,
): OpenedStore {
  const orNull = (name: 'endpoint' | 'region' | 'profile' | 'access_key' | 'secret_key') =>
    settings.text(`lake.s3_${name}`) || null
  const pathStyle = settings.text('lake.s3_path_style')
  const accessKey = orNull('access_key')
  const secretKey = orNull('secret_key')
  if ((accessKey === null) !== (secretKey === null))
    throw new TidemarkError('E_CONFIG', 'lake.s3_access_key and lake.s3_secret_key belong together', {
      field: accessKey === null ? 'lake.s3_access_key' : 'lake.s3_secret_key',
    })
  const config = {
    endpoint: orNull('endpoint'),
    region: orNull('region'),
    pathStyle: pathStyle === 'auto' ? null : pathStyle === 'true',
    accessKey,
    secretKey,
    profile: orNull('profile'),
    copiesDir: join(settings.dataDir(), 'copies'),
    copiesBytesMax: settings.bytes('lake.copies_max'),
  }
  const s3 = { config, http: nodeHttp(), clock, env: process.env }
  return openStore(url, { disk, random, s3 })
}
