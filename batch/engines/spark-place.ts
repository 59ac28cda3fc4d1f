import { SCRATCH } from '../../lake/scratch.ts'
import type { BucketAccess } from '../../lake/store/opened.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'

/** Where a cluster's executors put the files of a run, and this process finds them. Folders have names without a slash. */
export interface SparkPlace {
  /** URL of a file or a folder as Hadoop writes it: nothing is percent-encoded. */
  url(path: string): string
  /** Names of what lies in `folder` and in those below, relative to it. */
  list(folder: string): Promise<string[]>
  read(path: string): Promise<Uint8Array | null>
  /** Removes a folder with all that is in it; absent is no error. */
  remove(folder: string): Promise<void>
  /** Removes what runs left whose process was killed. */
  tidy(): Promise<void>
  /** What `spark-submit` must be told, so that the job reaches this place: settings, and variables, which hold the key. */
  access(): Promise<SparkAccess>
}

export interface SparkAccess {
  readonly conf: { readonly [name: string]: string }
  /** Undefined: not set. */
  readonly env: { readonly [name: string]: string | undefined }
}

/** A folder that executors see under the same path. One process alone has it at a time. */
export function folderPlace(
  dir: string,
  { disk, removeFolder }: { disk: Disk; removeFolder(dir: string): Promise<void> },
): SparkPlace {
  return {
    url: (path) => `file://${dir}/${path}`,
    list: (folder) => disk.list(`${dir}/${folder}`),
    read: (path) => disk.readFile(`${dir}/${path}`),
    remove: (folder) => removeFolder(`${dir}/${folder}`),
    async tidy() {
      await removeFolder(dir)
      await disk.makeDir(dir)
    },
    access: async () => ({ conf: {}, env: {} }),
  }
}

/**
 * The scratch of a lake in a bucket, which several processes may use. What is older than `oldMs`, when no job that wrote it can
 * be under way, is of runs that died.
 */
export function bucketPlace(
  store: ObjectStore,
  access: () => Promise<BucketAccess>,
  { clock, oldMs }: { clock: Clock; oldMs: number },
): SparkPlace {
  return {
    url: (path) => asHadoop(store.url!(`${SCRATCH}${path}`)),
    async list(folder) {
      const prefix = `${SCRATCH}${folder}/`
      return (await store.list(prefix)).map(({ key }) => key.slice(prefix.length))
    },
    read: (path) => store.get(`${SCRATCH}${path}`),
    async remove(folder) {
      for (const { key } of await store.list(`${SCRATCH}${folder}/`)) await store.delete(key)
    },
    async tidy() {
      for (const { key, modifiedMs } of await store.list(SCRATCH))
        if (modifiedMs < clock.nowMs() - oldMs) await store.delete(key)
    },
    async access() {
      const { endpoint, region, pathStyle, credentials } = await access()
      const s3a = {
        'endpoint.region': region,
        'path.style.access': String(pathStyle),
        ...(endpoint !== null && { endpoint }),
      }
      const conf = Object.entries(s3a).map(([name, value]) => [`spark.hadoop.fs.s3a.${name}`, value])
      const { accessKey, secretKey, sessionToken } = credentials
      return {
        conf: Object.fromEntries(conf),
        // Not among the arguments, which every user of the machine can list.
        env: {
          AWS_ACCESS_KEY_ID: accessKey,
          AWS_SECRET_ACCESS_KEY: secretKey,
          AWS_SESSION_TOKEN: sessionToken ?? undefined,
        },
      }
    },
  }
}

/** Hadoop's name for the scheme of S3. */
export function asHadoop(url: string): string {
  return url.replace(/^s3:/, 's3a:')
}
