import { openStore } from '../../../lake/store/open.ts'
import type { OpenedStore } from '../../../lake/store/opened.ts'
import type { S3Config } from '../../../lake/store/s3/open.ts'
import type { Clock } from '../../../schemas/ports/clock.ts'
import type { Http } from '../../../schemas/ports/http.ts'
import { SimDisk } from '../../sim/disk.ts'
import { simRandom } from '../../sim/random.ts'

export const CONFIG: S3Config = {
  endpoint: 'http://127.0.0.1:1',
  region: null,
  pathStyle: null,
  accessKey: 'key',
  secretKey: 'secret',
  profile: null,
  copiesDir: '/data/copies',
  copiesBytesMax: 100,
}

/** A clock whose timers of up to 6 s, which are waits between requests, run out at once; longer ones never do. */
export const hastyClock: Clock = {
  nowMs: () => Date.UTC(2026, 10, 26),
  after(ms, fn) {
    let isCancelled = false
    if (ms <= 6_000)
      queueMicrotask(() => {
        if (!isCancelled) fn()
      })
    return () => {
      isCancelled = true
    }
  },
}

/** The bucket `tide` behind `http`. */
export function openTide(
  http: Http,
  more: { clock?: Clock; disk?: SimDisk; config?: Partial<S3Config>; url?: string } = {},
): OpenedStore {
  const { clock = hastyClock, disk = new SimDisk(1), config, url = 's3://tide/lake' } = more
  const s3 = { config: { ...CONFIG, ...config }, http, clock, env: {} }
  return openStore(url, { disk, random: simRandom(1), s3 })
}
