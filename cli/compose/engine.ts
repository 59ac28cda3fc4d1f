import { join, resolve } from 'node:path'
import { describeByDuckdb } from '../../batch/engines/described.ts'
import { duckdbEngine } from '../../batch/engines/duckdb.ts'
import type { OpenEngine } from '../../batch/engines/engine.ts'
import { openReference } from '../../batch/engines/reference.ts'
import { type SparkDeps, sparkEngine } from '../../batch/engines/spark.ts'
import { bucketPlace, folderPlace } from '../../batch/engines/spark-place.ts'
import type { OpenedStore } from '../../lake/store/opened.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { sparkSubmit } from '../host/spark-submit.ts'
import type { Settings } from '../settings/settings.ts'
import { bucketReads } from './bucket-reads.ts'
import type { Host } from './host.ts'
import { isPaid } from './lake-store.ts'

/** Adds what jobs ask of the lake's bucket to what this process does. */
function counted({ requests }: Pick<OpenedStore, 'requests'>): Pick<SparkDeps, 'asked'> {
  const counts = requests()?.spark
  if (counts === undefined) return {}
  return {
    asked({ reads, writes, bytesSent, bytesReceived }) {
      counts.reads += reads
      counts.writes += writes
      counts.bytesSent += bytesSent
      counts.bytesReceived += bytesReceived
    },
  }
}

/** The batch engine of that name, a value of `batch.engine`, over the lake in `lake`. */
export function engineOf(
  name: string,
  settings: Settings,
  host: Host,
  lake: Pick<OpenedStore, 'store' | 'requests' | 'access'>,
): OpenEngine {
  const scratchDir = join(resolve(settings.dataDir()), 'scratch')
  if (name === 'reference') return openReference
  if (name === 'duckdb')
    return duckdbEngine(scratchDir, host.disk, { reads: bucketReads(settings, lake, host.logLine) })
  if (name !== 'spark')
    throw new TidemarkError('E_CONFIG', `the batch engine must be duckdb, spark or reference, not ${name}`)
  const limitMs = settings.durationMs('spark.limit')
  const spark = sparkSubmit(settings.text('spark.home'))
  const place = isPaid(settings)
    ? bucketPlace(lake.store, async () => (await lake.access())!, { ...host, oldMs: 2 * limitMs })
    : folderPlace(join(scratchDir, 'spark'), { ...host, ...spark })
  const jars = settings.text('spark.jars')
  return sparkEngine(
    { master: settings.text('spark.master'), limitMs, jars, scratchDir },
    { ...host, spark, place, ...counted(lake), describe: describeByDuckdb(scratchDir, host.disk) },
  )
}
