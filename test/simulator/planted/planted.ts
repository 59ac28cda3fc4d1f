import type { PlantedBug } from '../planting/bug.ts'
import { PLANTED_IN_AGENT } from './agent.ts'
import { PLANTED_IN_ANSWERS } from './answers.ts'
import { PLANTED_IN_CLUSTER } from './cluster.ts'
import { PLANTED_IN_COLLECTOR } from './collector.ts'
import { PLANTED_IN_JOURNAL } from './journal.ts'
import { PLANTED_IN_LAKE } from './lake.ts'
import { PLANTED_IN_TASKS } from './tasks.ts'

/**
 * Bugs that the simulator must find: each breaks a promise in a way that ordinary use would not show for long. Some were no
 * inventions: they were in the sources until the simulator found them.
 */
export const PLANTED = {
  ...PLANTED_IN_AGENT,
  ...PLANTED_IN_COLLECTOR,
  ...PLANTED_IN_JOURNAL,
  ...PLANTED_IN_LAKE,
  ...PLANTED_IN_ANSWERS,
  ...PLANTED_IN_TASKS,
}

/** These, and those that histories of a cluster must find. */
export const ALL_PLANTED: { readonly [name: string]: PlantedBug } = { ...PLANTED, ...PLANTED_IN_CLUSTER }
