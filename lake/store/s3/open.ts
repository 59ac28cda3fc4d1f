import type { Clock, Random } from '../../../schemas/ports/clock.ts'
import type { Disk } from '../../../schemas/ports/disk.ts'
import type { Http } from '../../../schemas/ports/http.ts'
import { LocalCopies } from '../local-copies.ts'
import type { OpenedStore } from '../opened.ts'
import { noneOfSpark, noRequests } from './counts.ts'
import { type CredentialConfig, credentialSource } from './credentials.ts'
import { type BucketPlace, bucketUrl } from './place.ts'
import { probeConditions } from './probe.ts'
import { Requests } from './requests.ts'
import { S3Store } from './store.ts'

/** How a bucket is reached. */
export interface S3Config extends CredentialConfig {
  /** Null: what AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL says, else AWS itself. */
  readonly endpoint: string | null
  /** Null: what AWS_REGION or AWS_DEFAULT_REGION says, else us-east-1. */
  readonly region: string | null
  /** Null: in the path at every endpoint but AWS itself, or where the bucket's name has a dot. */
  readonly pathStyle: boolean | null
  /** Where copies of files lie for an engine that reads paths. */
  readonly copiesDir: string
  readonly copiesBytesMax: number
}

export interface S3Host {
  readonly config: S3Config
  readonly http: Http
  readonly clock: Clock
  readonly env: { readonly [name: string]: string | undefined }
}

export function openBucket(
  place: BucketPlace,
  { config, http, clock, env }: S3Host,
  { disk, random }: { disk: Disk; random: Random },
): OpenedStore {
  const { bucket, prefix } = place
  const endpoint = config.endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || null)
  const region = config.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1')
  const pathStyle = config.pathStyle ?? (endpoint !== null || bucket.includes('.'))
  const url = bucketUrl({ endpoint, region, pathStyle }, bucket)
  const credentials = credentialSource(config, { http, clock, disk, env })
  const requests = new Requests({ http, clock, random, credentials, region, url })
  const counts = { ...requests.counts, duckdb: { get: noRequests().get }, spark: noneOfSpark() }
  const copies = new LocalCopies(config.copiesDir, config.copiesBytesMax, { disk, clock, random })
  return {
    store: new S3Store(requests, place, copies),
    probe: () => probeConditions(requests, { prefix, url }, random),
    // A bucket shows no object before it is whole.
    settle: async () => {},
    requests: () => counts,
    access: async () => ({ endpoint, region, pathStyle, credentials: await credentials.get() }),
  }
}
