import { host } from '../../../schemas/datasets/host.ts'
import type { Definitions } from '../../../schemas/definitions.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'

/** What all processes of a cluster have in common. */
export const PARTITIONS = 3
export const TICK_MS = 30_000
export const SEAL_EVERY_MS = 45_000
export const RETENTION_MS = 3_600_000
export const DEFINED: Definitions = { datasets: [host], views: [serviceMinute, hostMinute] }
