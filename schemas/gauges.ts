/**
 * The gauges of a message, in the order in which every array of gauge values holds them.
 * A gauge is a number sampled over time; these three are percentages of a host's capacity.
 */
export const GAUGES = ['cpu', 'ram', 'disk'] as const

export type Gauge = (typeof GAUGES)[number]

/** The largest value a gauge may have. Sums of 1e9 such values stay far below the largest double. */
export const GAUGE_VALUE_MAX = 1e15
