import { type Dataset, GAUGE_VALUE_MAX } from '../dataset.ts'

const percent = { unit: '%', min: 0, max: GAUGE_VALUE_MAX, optional: false } as const

/** One sample of one host for one service: CPU, RAM and disk in use, in percent. */
export const host: Dataset = {
  name: 'host',
  keys: ['service'],
  source: 'host',
  gauges: [
    { name: 'cpu', ...percent },
    { name: 'ram', ...percent },
    { name: 'disk', ...percent },
  ],
  attributes: [],
}
