import { TidemarkError } from '../../schemas/errors.ts'
import type { Machine } from '../../schemas/ports/machine.ts'

/** What a control group may use; null where nothing is set. */
export interface GroupLimits {
  readonly cores: number | null
  readonly memoryBytes: number | null
}

/** What a control group uses: CPU time since it was made, and memory that could not be given up. */
export interface GroupUse {
  readonly cpuMs: number
  readonly memoryBytes: number
}

/** Returns what `cpu.max` and `memory.max` say; a file that is absent or makes no sense sets nothing. */
export async function groupLimits(machine: Machine): Promise<GroupLimits> {
  const [cpu, memory] = await files(machine, ['cpu.max', 'memory.max'])
  const [, quota, period] = /^(\d+) (\d+)/.exec(cpu!) ?? []
  const cores = Number(quota) / Number(period)
  return {
    cores: cores > 0 && Number.isFinite(cores) ? cores : null,
    memoryBytes: countIn(memory!, /^(\d+)$/m) || null,
  }
}

/**
 * Returns what the group uses, by `cpu.stat`, `memory.current` and `memory.stat`. File caches that are not in active use are
 * left out, as `docker stats` and the kubelet do. Throws `E_SAMPLE` when a file is absent or makes no sense.
 */
export async function groupUse(machine: Machine): Promise<GroupUse> {
  const [cpu, current, memory] = await files(machine, ['cpu.stat', 'memory.current', 'memory.stat'])
  const cpuUs = countIn(cpu!, /^usage_usec (\d+)$/m)
  if (cpuUs === null) throw unreadable('cpu.stat')
  const bytes = countIn(current!, /^(\d+)$/m)
  if (bytes === null) throw unreadable('memory.current')
  const inactive = countIn(memory!, /^inactive_file (\d+)$/m) ?? 0
  return { cpuMs: cpuUs / 1_000, memoryBytes: Math.max(0, bytes - inactive) }
}

/** Returns the texts of these files; the empty one where there is none. One after the other: should they hang, one does. */
async function files(machine: Machine, names: readonly string[]): Promise<string[]> {
  const texts: string[] = []
  for (const name of names) texts.push((await machine.controlGroupFile(name)) ?? '')
  return texts
}

function countIn(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? null : Number(found)
}

function unreadable(name: string): TidemarkError {
  return new TidemarkError('E_SAMPLE', `the control group (cgroup v2) tells nothing in ${name}`)
}
