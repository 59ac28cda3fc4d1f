import type { DeployedLog } from '../../lake/deployment-log.ts'
import type { Ownership } from '../../log/ownership.ts'
import type { Log } from '../../log/port.ts'
import type { Senders } from '../../log/senders.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { hideUser } from '../../schemas/user-in-url.ts'
import type { Settings } from '../settings/settings.ts'
import type { Host } from './host.ts'
import { openLogOnKafka } from './kafka.ts'

/** A log that several processes share. */
export interface SharedLog {
  readonly log: Log
  /** What this process knows of numbered senders. */
  readonly senders: Senders
  /** Joins the workers of a layer, among which the partitions are shared. */
  share(layer: 'speed' | 'lake-writer'): SharedOwnership
}

/** The partitions of one worker of several. */
export interface SharedOwnership extends Ownership {
  /** Why it takes no part in the sharing; null when all is well. */
  readonly failing: string | null
  close(): Promise<void>
}

/** Opens the log of a deployment. */
export type OpenSharedLog = (deployed: DeployedLog) => Promise<SharedLog>

/** What `log.url` names. */
export interface LogPlace {
  /** `host:port`, one or more. */
  readonly brokers: readonly string[]
  readonly topic: string
}

/** Null for what is no address of a log: `kafka://HOST:PORT,HOST:PORT/TOPIC`. */
export function parseLogUrl(url: string): LogPlace | null {
  const [, brokers, topic] = /^kafka:\/\/([^/\s]+)\/([A-Za-z0-9._-]{1,249})$/.exec(url) ?? []
  if (brokers === undefined || topic === undefined) return null
  const list = brokers.split(',')
  return list.every((broker) => /^[^:]+:\d{1,5}$|^\[[^\]]+\]:\d{1,5}$/.test(broker))
    ? { brokers: list, topic }
    : null
}

/** What the settings say of the log; `partitions` is null where they leave it to the lake. Throws `E_CONFIG`. */
export function configuredLog(settings: Settings): LogPlace & { readonly partitions: number | null } {
  const url = settings.get('log.url')
  const place = parseLogUrl(url.value)
  if (place === null) {
    const shown = JSON.stringify(hideUser(url.value))
    const message = `log.url (${url.source}) must be like kafka://127.0.0.1:9092/tidemark, not ${shown}`
    throw new TidemarkError('E_CONFIG', message, { field: 'log.url' })
  }
  const partitions = settings.get('log.partitions')
  return { ...place, partitions: partitions.source === 'default' ? null : Number(partitions.value) }
}

/** What opens the log that the settings name. Throws `E_CONFIG`. */
export function sharedLogOf(settings: Settings, host: Host): OpenSharedLog {
  const place = configuredLog(settings)
  return async (deployed) => {
    const log = await openLogOnKafka(settings, place, deployed, host)
    return { log, senders: log.senders, share: (layer) => log.share(layer) }
  }
}
