import si from 'systeminformation'
import type { Clock } from '../schemas/ports/clock.ts'
import { cpuLoad } from './cpu-load.ts'

/** The disk changes slowly, and asking for it starts processes. */
const DISK_EVERY_MS = 60_000

export interface Sampler {
  /** CPU load since the last call, RAM in use and use of the root file system, in percent: in the order of the gauges of `host`. */
  sample(): Promise<number[]>
}

/** Samples this host. */
export async function sampler(clock: Clock): Promise<Sampler> {
  const load = cpuLoad()
  let diskPercent = await diskUse()
  let diskMs = clock.nowMs()
  return {
    async sample() {
      const { total, available } = await si.mem()
      if (Math.abs(clock.nowMs() - diskMs) >= DISK_EVERY_MS) {
        diskMs = clock.nowMs()
        diskPercent = await diskUse()
      }
      // `used` would count caches, which are free for the taking.
      const ram = ((total - available) / total) * 100
      return [load(), ram, diskPercent].map(twoDecimals)
    },
  }
}

async function diskUse(): Promise<number> {
  const systems = await si.fsSize()
  const root = systems.find(({ mount }) => mount === '/') ?? systems[0]
  return root?.use ?? 0
}

function twoDecimals(value: number): number {
  return Number.isFinite(value) && value > 0 ? Math.round(value * 100) / 100 : 0
}
