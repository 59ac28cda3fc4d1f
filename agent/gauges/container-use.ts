import { TidemarkError } from '../../schemas/errors.ts'
import type { Machine } from '../../schemas/ports/machine.ts'
import { type GroupLimits, type GroupUse, groupLimits, groupUse } from './control-group.ts'
import { Limited } from './limited.ts'
import { Load, measured } from './load.ts'
import type { ReadUse } from './machine-use.ts'
import { Reading, type ReadingDeps } from './reading.ts'
import { Renewed } from './renewed.ts'

/** Limits can be changed while a container runs. Those that cannot be read anew go on. */
const LIMITS = { everyMs: 60_000, ageMsMax: Number.POSITIVE_INFINITY }

/** What a container may use: its limits, or the size of the machine where that is less. */
export interface GroupSize {
  readonly cores: number
  readonly memoryBytes: number
}

/**
 * CPU and RAM of the container around this process, of what it may use. Throws `E_SAMPLE` when its control group tells
 * nothing.
 */
export async function containerUse(machine: Machine, deps: ReadingDeps): Promise<ReadUse> {
  const first = await groupUse(machine)
  const meter = new GroupMeter(first, machine.monotonicMs())
  const asked = new Limited(deps.clock, () => groupSize(machine))
  const size = new Renewed(machine, LIMITS, () => asked.answer().catch(() => null))
  const read = async () => {
    const [use, allowed] = await Promise.all([groupUse(machine), size.value()])
    if (allowed === null) throw new TidemarkError('E_SAMPLE', 'the limits of the control group are not known')
    return meter.read(use, machine.monotonicMs(), allowed)
  }
  const reading = new Reading('cpu and ram', () => measured(deps.clock, read), deps)
  return async () => (await reading.value()) ?? [Number.NaN, Number.NaN]
}

/** Turns what a control group has used into percent of what it may. */
class GroupMeter {
  #cpuMs: number
  /** Time in which all that it may use would have been used. */
  #busyMs = 0
  readonly #load: Load

  constructor({ cpuMs }: GroupUse, nowMs: number) {
    this.#cpuMs = cpuMs
    this.#load = new Load({ busyMs: 0, allMs: nowMs })
  }

  /** Returns the load since the reading before, NaN while there is none yet, and memory in use. */
  read(use: GroupUse, nowMs: number, size: GroupSize): readonly [cpu: number, ram: number] {
    this.#busyMs += Math.max(0, use.cpuMs - this.#cpuMs) / size.cores
    this.#cpuMs = use.cpuMs
    const cpu = this.#load.until({ busyMs: this.#busyMs, allMs: nowMs })
    return [cpu, Math.min(1, use.memoryBytes / size.memoryBytes) * 100]
  }
}

async function groupSize(machine: Machine): Promise<GroupSize> {
  const limits = await groupLimits(machine)
  const memory = await machine.memory()
  return {
    cores: lessOf(limits.cores, machine.coreTimes().cores),
    memoryBytes: lessOf(limits.memoryBytes, memory.total),
  }
}

/** Returns the limit, or what there is where that is less. Throws `E_SAMPLE` when neither is known. */
function lessOf(limit: number | null, there: number): number {
  const least = Math.min(limit ?? Number.POSITIVE_INFINITY, there || Number.POSITIVE_INFINITY)
  if (Number.isFinite(least)) return least
  throw new TidemarkError('E_SAMPLE', 'neither a limit nor the size of the machine is known')
}

/** Whether a control group limits anything. */
export function isLimited({ cores, memoryBytes }: GroupLimits): boolean {
  return cores !== null || memoryBytes !== null
}
