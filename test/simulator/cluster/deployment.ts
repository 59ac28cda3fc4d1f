import { host } from '../../../schemas/datasets/host.ts'
import type { Definitions } from '../../../schemas/definitions.ts'
import { HOUR_MS } from '../../../schemas/time.ts'
import { definitionHash, type View } from '../../../schemas/view.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'

/** What all processes of a cluster have in common. */
export const PARTITIONS = 3
export const TICK_MS = 30_000
export const SEAL_EVERY_MS = 45_000
export const RETENTION_MS = 3_600_000
/** Definitions that a deployment has in turn: the second counts a service's cpu tenfold. */
export const DEFINITIONS: readonly Definitions[] = [1, 10].map((scale) => {
  const gauges = serviceMinute.gauges.map((one) => (one.gauge === 'cpu' ? { ...one, scale } : one))
  return { datasets: [host], views: [{ ...serviceMinute, gauges }, hostMinute] }
})
/** Every view that there ever is, by its hash. */
export const VIEWS: ReadonlyMap<string, View> = new Map(
  DEFINITIONS.flatMap(({ views }) => views).map((view) => [definitionHash(view), view]),
)
/**
 * So far the clocks of workers are off at most. Speed's vouches for the newest messages; a lake writer's says what is old enough
 * to be removed.
 */
export const SKEW_MS = { speed: 1_000, 'lake-writer': 2 * HOUR_MS } as const
