import { HOUR_MS } from '../../../schemas/time.ts'
import type { Dice } from '../dice.ts'
import type { Simulation } from '../simulation.ts'

export async function wait(sim: Simulation, ms: number): Promise<string> {
  await sim.world.clock.advance(ms)
  return `wait ${ms} ms`
}

export function diskErrors(sim: Simulation, dice: Dice): string {
  const rate = dice.pick([0.05, 0.3, 1])
  const { disk, random } = sim.world
  disk.fault = (what, path) => {
    if (random.float() < rate) throw sim.diskError(`${path}: ${what} failed`)
  }
  return sim.forAWhile('disk errors', dice, () => {
    disk.fault = null
  })
}

export function diskFull(sim: Simulation, dice: Dice): string {
  const { disk } = sim.world
  disk.capacityBytes = disk.usedBytes() + dice.pick([0, 100, 2_000])
  return sim.forAWhile('disk full', dice, () => {
    disk.capacityBytes = Number.POSITIVE_INFINITY
  })
}

export function diskSlow(sim: Simulation, dice: Dice): string {
  sim.world.slowDiskMs = dice.pick([20, 500, 3_000])
  sim.slow()
  return sim.forAWhile('disk slow', dice, () => {
    sim.slow()
    sim.world.slowDiskMs = 0
  })
}

export function cut(sim: Simulation, dice: Dice, kind: 'both' | 'client'): string {
  return sim.world.net.cut(dice.float(), kind)
    ? `a connection breaks (${kind === 'both' ? 'both ends' : 'unnoticed by the collector'})`
    : 'there is no connection to break'
}

export function stall(sim: Simulation, dice: Dice): string {
  const ms = dice.pick([500, 10_000, 120_000])
  sim.world.net.stall(dice.float(), ms)
  return `nothing arrives at one end of a connection for ${ms} ms`
}

export function slowNetwork(sim: Simulation, dice: Dice): string {
  sim.world.net.delayMs = dice.pick([20, 2_000])
  return sim.forAWhile('slow network', dice, () => {
    sim.world.net.delayMs = 0
  })
}

const SLOW_MS = [30, 1_000, 8_000]
const RATES = [0.05, 0.3, 0.9]
const TROUBLES = {
  errors: RATES,
  unclear: RATES,
  slowMs: SLOW_MS,
  slowListMs: SLOW_MS,
  staleListMs: [20_000, 300_000],
} as const

export function storeTrouble(
  sim: Simulation,
  dice: Dice,
  kind: 'errors' | 'unclear' | 'slowMs' | 'slowListMs' | 'staleListMs',
): string {
  const { remote } = sim.world
  remote.trouble[kind] = dice.pick(TROUBLES[kind])
  return sim.forAWhile(`store: ${kind} ${remote.trouble[kind]}`, dice, () => {
    remote.trouble[kind] = 0
  })
}

export function layerSlow(sim: Simulation, dice: Dice): string {
  const layer = dice.pick(['writer', 'speed', 'speed', 'batch'] as const)
  const maxMs = dice.pick([1_000, 20_000, 400_000])
  const tableDelay = sim.world.tableDelays[layer]
  tableDelay.begin(maxMs)
  return sim.forAWhile(`${layer} takes up to ${maxMs / 1_000} s a call`, dice, () => tableDelay.end())
}

/** A machine that was set right, or that slept. */
export function clockStep(sim: Simulation, dice: Dice): string {
  const ms = dice.pick([2_000, 5 * 60_000, 2 * HOUR_MS, -25 * HOUR_MS])
  sim.latestMs()
  sim.world.clock.step(-ms)
  if (ms < 0) return `the clock jumps ahead by ${-ms / 1_000} s`
  const aheadMs = sim.world.clock.nowMs() + 10 * 60_000
  sim.fleet.refusableMs = Math.min(sim.fleet.refusableMs, aheadMs)
  return `the clock steps back by ${ms / 1_000} s`
}
