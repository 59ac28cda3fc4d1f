import type { DeployedLog } from '../../lake/deployment-log.ts'
import type { Log } from '../../log/port.ts'
import type { Senders } from '../../log/senders.ts'

/** A log that several processes share. */
export interface SharedLog {
  readonly log: Log
  /** What this process knows of numbered senders. */
  readonly senders: Senders
}

/** Opens the log of a deployment. */
export type OpenSharedLog = (deployed: DeployedLog) => Promise<SharedLog>
