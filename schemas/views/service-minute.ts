import type { View } from '../view.ts'

/** Totals, maxima and counts of every service, minute by minute. */
export const serviceMinute: View = {
  name: 'service_minute',
  key: ['service'],
  bucketMs: 60_000,
  gauges: [
    { gauge: 'cpu', scale: 1 },
    { gauge: 'ram', scale: 1 },
    { gauge: 'disk', scale: 1 },
  ],
}
