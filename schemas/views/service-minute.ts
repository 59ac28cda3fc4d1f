import { host } from '../datasets/host.ts'
import { defineView } from '../view.ts'

/** Totals, extremes, percentiles and counts of every service, minute by minute. */
export const serviceMinute = defineView(host, { name: 'service_minute', key: ['service'], quantiles: true })
