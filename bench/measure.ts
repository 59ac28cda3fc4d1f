import { arch, cpus, platform, totalmem } from 'node:os'

/** Middle of the sorted values; NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Zeros when there are no values. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now()
  await work()
  return performance.now() - before
}

/** The machine and the versions: without them a figure means nothing. */
export function machine(): string {
  const gib = (totalmem() / 2 ** 30).toFixed(0)
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${gib} GiB, ${platform()} ${arch()}, Node ${process.version}`
}

/** As the benchmarks print them. */
export const thousands = (perSecond: number) => `${(perSecond / 1_000).toFixed(0)} k messages/s`
export const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`
export const mib = (value: number) => `${value.toFixed(0)} MiB`
