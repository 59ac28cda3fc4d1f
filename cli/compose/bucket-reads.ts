import { resolve } from 'node:path'
import { BucketReads } from '../../lake/store/bucket-reads.ts'
import type { OpenedStore } from '../../lake/store/opened.ts'
import type { Settings } from '../settings/settings.ts'
import { isPaid } from './lake-store.ts'

/** How DuckDB reads the lake's bucket itself; null where it is to read files of this machine. */
export function bucketReads(
  settings: Settings,
  { store, access, requests }: Pick<OpenedStore, 'store' | 'access' | 'requests'>,
  logLine: (line: string) => void,
): BucketReads | null {
  const extension = settings.text('lake.httpfs')
  if (extension === '' || !isPaid(settings)) return null
  // What Node adds to the CAs of the system, DuckDB takes instead of them.
  const caFile = process.env.NODE_EXTRA_CA_CERTS || null
  const counted = (asked: number, bytesReceived: number) => {
    const get = requests()!.duckdb.get
    get.requests += asked
    get.bytesReceived += bytesReceived
  }
  return new BucketReads({ extension: resolve(extension), caFile }, { store, access, counted, logLine })
}
