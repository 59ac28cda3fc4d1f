import { host } from '../datasets/host.ts'
import { defineView } from '../view.ts'

/** Totals, extremes and counts of every host of a service, minute by minute. */
export const hostMinute = defineView(host, { name: 'host_minute', key: ['service', 'host'] })
