import { REJECTS_BYTES_MAX } from '../../../collector/intake/limits.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { drain } from '../../sim/incarnation.ts'
import type { Dice } from '../dice.ts'
import type { Simulation } from '../simulation.ts'
import { REJECTS_DIR } from '../site.ts'
import { diskSlow } from './trouble.ts'

export async function startAgent(sim: Simulation, dice: Dice, skewMs: number): Promise<string> {
  const place = dice.below(2)
  const spooled = dice.float() < 0.7
  const death = dice.pick(['process', 'power'] as const)
  await sim.fleet.startAgent(place, { skewMs, spooled, death })
  const how = `${spooled ? 'with' : 'without'} spool, after ${death === 'power' ? 'a power loss' : 'a crash'}`
  return `an agent on host-${place} ${how}${skewMs === 0 ? '' : `, its clock ${skewMs / 60_000} min ahead`}`
}

export function wrongClock(sim: Simulation, dice: Dice): Promise<string> {
  return startAgent(sim, dice, dice.pick([-3 * 24 * 60, -70, 9, 30]) * 60_000)
}

export function clone(sim: Simulation, dice: Dice): string {
  const place = dice.below(2)
  if (sim.fleet.senders.length > 3) return 'enough clones'
  return `a clone of ${sim.fleet.clone(place).agent}`
}

export async function smallSpool(sim: Simulation, dice: Dice): Promise<string> {
  const place = dice.below(2)
  const death = dice.pick(['process', 'power'] as const)
  await sim.fleet.startAgent(place, { skewMs: 0, spooled: true, small: true, death })
  return `an agent with a small spool on host-${place}, after ${death === 'power' ? 'a power loss' : 'a crash'}`
}

export function spoolDisk(sim: Simulation, dice: Dice): string {
  const host = dice.pick(sim.fleet.hosts.filter((one) => one !== undefined))
  if (dice.float() < 0.5) {
    host.disk.capacityBytes = host.disk.usedBytes() + dice.pick([0, 50, 500])
    return sim.forAWhile(`the disk of ${host.name} is full`, dice, () => host.mend())
  }
  const rate = dice.pick([0.1, 0.5, 1])
  host.disk.fault = (what, path) => {
    if (sim.world.random.float() < rate) throw new TidemarkError('E_DISK', `${path}: ${what} failed`)
  }
  return sim.forAWhile(`the disk of ${host.name} fails`, dice, () => host.mend())
}

export async function flood(sim: Simulation, dice: Dice): Promise<string> {
  const name = dice.pick(['unread', 'lines', 'repeats', 'bytes'] as const)
  const slow = dice.float() < 0.5 ? ` ${diskSlow(sim, dice)}` : ''
  const came = await sim.fleet.crowd.flood(name)
  await drain()
  return came ? `a flood of ${name}${slow}` : 'nobody is there to be flooded'
}

export async function crowd(sim: Simulation, dice: Dice): Promise<string> {
  const came = await sim.fleet.crowd.come(dice.pick([5, 40, 150]))
  return came === null ? 'a crowd finds nobody' : `${came} clients come and are silent`
}

export async function rejectsFull(sim: Simulation): Promise<string> {
  await sim.crash('process')
  const { disk } = sim.world
  const paths = disk.paths().filter((path) => path.startsWith(`${REJECTS_DIR}/`))
  const used = paths.reduce((sum, path) => sum + disk.bytesOf(path).length, 0)
  const room = REJECTS_BYTES_MAX - used - 50_000
  if (room > 0) disk.put(`${REJECTS_DIR}/full-${paths.length}.ndjson`, new Uint8Array(room))
  return 'the folder of refused lines is almost full'
}
