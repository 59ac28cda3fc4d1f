import { cpus } from 'node:os'

/** Load over a shorter time of all cores together would be noise: their clocks tick every 10 ms. */
const TIME_MS_MIN = 200

/** Time that cores have spent since boot, in milliseconds and added up. */
export interface CoreTimes {
  readonly busyMs: number
  readonly allMs: number
}

/**
 * Measures the load of all cores in percent, each time since the time before; the first from here. systeminformation's
 * `currentLoad` gives the same figure from the same counters, but starts a shell, `cat` and `grep` for each: 6 ms of CPU.
 */
export function cpuLoad(read: () => CoreTimes = coreTimes): () => number {
  let before = read()
  let percent = 0
  return () => {
    const now = read()
    const allMs = now.allMs - before.allMs
    // After a core was taken away there is less than before.
    if (allMs > 0 && allMs < TIME_MS_MIN) return percent
    if (allMs > 0) percent = (Math.max(0, now.busyMs - before.busyMs) / allMs) * 100
    before = now
    return percent
  }
}

function coreTimes(): CoreTimes {
  let busyMs = 0
  let idleMs = 0
  for (const { times } of cpus()) {
    busyMs += times.user + times.nice + times.sys + times.irq
    idleMs += times.idle
  }
  return { busyMs, allMs: busyMs + idleMs }
}
