import { TidemarkError } from '../../schemas/errors.ts'
import type { CoreTimes, Machine } from '../../schemas/ports/machine.ts'
import { Load, measured } from './load.ts'
import { Reading, type ReadingDeps } from './reading.ts'

/** Returns CPU load since the call before and RAM in use, in percent; NaN for one that cannot be had. */
export type ReadUse = () => Promise<readonly [cpu: number, ram: number]>

/**
 * CPU and RAM of the whole machine. systeminformation's `currentLoad` would give the same load from the same counters, but
 * starts a shell, `cat` and `grep` for each: 6 ms of CPU.
 */
export function machineUse(machine: Machine, deps: ReadingDeps): ReadUse {
  const load = new Load(machine.coreTimes())
  const cpu = new Reading('cpu', () => measured(deps.clock, async () => [load.until(worked(machine))]), deps)
  const ram = new Reading('ram', () => memoryUse(machine), deps)
  return async () => {
    const [found, ramPercent] = await Promise.all([cpu.value(), ram.value()])
    return [found?.[0] ?? Number.NaN, ramPercent ?? Number.NaN]
  }
}

function worked(machine: Machine): CoreTimes {
  const times = machine.coreTimes()
  if (times.cores === 0) throw new TidemarkError('E_SAMPLE', 'the system tells nothing of its cores')
  return times
}

async function memoryUse(machine: Machine): Promise<number> {
  const { total, available } = await machine.memory()
  if (!(total > 0)) throw new TidemarkError('E_SAMPLE', 'the system tells nothing of its memory')
  return ((total - available) / total) * 100
}
