import { arch, cpus, platform, totalmem } from 'node:os'

/** Middle of the sorted values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
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
