import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import type { Dice } from '../dice.ts'
import type { Simulation } from '../simulation.ts'

export async function restartNode(sim: Simulation): Promise<string> {
  if (!sim.world.config.node) return 'there is no second node'
  await sim.world.startNode()
  return 'the node that knows the lake alone begins anew'
}

export async function crash(sim: Simulation, kind: 'process' | 'power'): Promise<string> {
  await sim.crash(kind)
  return `crash (${kind})`
}

/** The process dies in the middle of what it does: of something that it begins now, most of the time. */
export function fuse(sim: Simulation, dice: Dice): string {
  const method = dice.pick([null, 'link', 'putIfAbsent', 'sync', 'syncDir', 'write', 'remove'])
  const calls = 1 + dice.below(method === null ? dice.pick([10, 60]) : 3)
  sim.world.life!.dieAfter(calls, method)
  const busy = dice.pick(['idle', 'seal', 'tick', 'run'] as const)
  if (busy === 'seal') sim.begin('seal', (parts) => parts.writer.seal())
  if (busy === 'tick') sim.begin('tick', (parts) => parts.speed.tick())
  if (busy === 'run') sim.beginRun(false, 'first')
  return `dies after ${calls} calls${method === null ? '' : ` of ${method}`}${busy === 'idle' ? '' : `, during a ${busy}`}`
}

export function powerFuse(sim: Simulation, dice: Dice): string {
  sim.nextDeath = 'power'
  return `loses power: ${fuse(sim, dice)}`
}

export async function define(sim: Simulation, dice: Dice): Promise<string> {
  const scale = dice.pick([1, 10, 0.1])
  sim.tally.definitions += 1
  await sim.crash('process')
  const gauges = serviceMinute.gauges.map((one) => (one.gauge === 'cpu' ? { ...one, scale } : one))
  sim.world.view = { ...serviceMinute, gauges }
  return `the next start counts cpu ${scale} times`
}

export async function loseIndex(sim: Simulation, kind: 'deleted' | 'stale'): Promise<string> {
  await sim.crash('process')
  sim.world.loseIndex(kind)
  return kind === 'deleted' ? 'the index is deleted' : 'the index is that of an earlier moment'
}

export function keepIndex(sim: Simulation): string {
  sim.world.keepIndex()
  return 'a copy of the index is kept'
}
