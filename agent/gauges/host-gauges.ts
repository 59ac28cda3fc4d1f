import { TidemarkError } from '../../schemas/errors.ts'
import type { Machine } from '../../schemas/ports/machine.ts'
import { containerUse, isLimited } from './container-use.ts'
import { groupLimits } from './control-group.ts'
import { Limited } from './limited.ts'
import { machineUse, type ReadUse } from './machine-use.ts'
import { Reading, type ReadingDeps } from './reading.ts'
import { Renewed } from './renewed.ts'

/** Whose CPU and RAM are measured: those of the machine, or of the container around this process. */
export type Scope = 'host' | 'container'
/** `auto`: the container where anything is limited in it, otherwise the machine. */
export const SCOPES = ['auto', 'host', 'container'] as const
export type ScopeWanted = (typeof SCOPES)[number]

/** The disk changes slowly. For ten minutes a value stands that cannot be renewed, so that CPU and RAM go on meanwhile. */
const DISK = { everyMs: 60_000, ageMsMax: 600_000 }

export interface HostGaugesDeps extends ReadingDeps {
  readonly machine: Machine
}

/** The gauges of `host`, where an agent runs. */
export interface HostGauges {
  readonly scope: Scope
  /**
   * Returns CPU load since the last call, RAM in use and use of the root file system, in percent with two decimals: in the order
   * of the gauges of `host`. One that cannot be had is NaN; that is in the log, once. Never throws, and ends in time.
   */
  sample(): Promise<number[]>
}

/** Begins to measure. Throws `E_CONFIG` when a container is wanted and there is no control group that tells of one. */
export async function hostGauges(wanted: ScopeWanted, deps: HostGaugesDeps): Promise<HostGauges> {
  const { machine } = deps
  const ofContainer = wanted === 'host' ? null : await containerOrNone(wanted, deps)
  const use = ofContainer ?? machineUse(machine, deps)
  const reading = new Reading('disk', () => diskUse(machine), deps)
  const disk = new Renewed(machine, DISK, () => reading.value())
  return {
    scope: ofContainer === null ? 'host' : 'container',
    async sample() {
      const [[cpu, ram], diskPercent] = await Promise.all([use(), disk.value()])
      return [cpu, ram, diskPercent ?? Number.NaN].map(twoDecimals)
    },
  }
}

/** Returns what measures the container; null when there is none, or it has no limits and is not asked for by name. */
async function containerOrNone(wanted: ScopeWanted, deps: HostGaugesDeps): Promise<ReadUse | null> {
  const { machine, clock, logLine } = deps
  const begin = async () => {
    const isWanted = wanted === 'container' || isLimited(await groupLimits(machine))
    return isWanted ? await containerUse(machine, deps) : null
  }
  try {
    return await new Limited(clock, begin).answer()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (wanted === 'container')
      throw new TidemarkError('E_CONFIG', `scope must not be container here: ${why}`, {
        field: 'agent.scope',
      })
    logLine(`agent: control group: ${why}; CPU and RAM are those of the machine`)
    return null
  }
}

async function diskUse(machine: Machine): Promise<number> {
  const { used, available } = await machine.rootDisk()
  if (!(used + available > 0)) throw new TidemarkError('E_SAMPLE', 'the system tells nothing of its disk')
  return (used / (used + available)) * 100
}

function twoDecimals(value: number): number {
  return Math.round(value * 100) / 100
}
