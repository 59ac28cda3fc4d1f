import { readErasures } from '../../../lake/erase/erasure-log.ts'
import { HOUR_MS } from '../../../schemas/time.ts'
import type { Dice } from '../dice.ts'
import { checkErased } from '../erased.ts'
import { HOSTS, PARTED, SERVICES } from '../fleet.ts'
import type { Simulation } from '../simulation.ts'

/** Erases what some names say, of all time or of some hours. */
export function erase(sim: Simulation, dice: Dice): string {
  const { world } = sim
  const { journal } = world.parts!
  const { parted } = world.config
  const services = parted ? PARTED.erase : SERVICES
  const service = parted ? { service: PARTED.erase[0]! } : {}
  const [dataset, where] = dice.pick([
    ['host', { service: dice.pick(services) }],
    ['host', { ...service, host: dice.pick([...HOSTS, 'host-0']) }],
    ['host', { service: dice.pick(services), host: dice.pick(HOSTS) }],
    ['scores', { group: parted ? 'B' : dice.pick(['A', 'B']) }],
  ] as const)
  const fromMs = dice.float() < 0.3 ? world.clock.nowMs() - dice.pick([1, 30]) * HOUR_MS : null
  const toMs = dice.float() < 0.2 ? world.clock.nowMs() - HOUR_MS / 2 : null
  const vacuum = dice.float() < 0.3
  const who = `erasure ${world.acceptedBefore.size}`
  world.acceptedBefore.set(who, Object.fromEntries(journal.partitions().map((p) => [p, journal.end(p)])))
  const named = JSON.stringify(where)
  return sim.begin(`${who}: ${named}${vacuum ? ' and old versions' : ''}`, async ({ erasures }) => {
    if (vacuum) sim.vacuumed = true
    const { id, ended } = await erasures!.start({ who, dataset, where, fromMs, toMs, vacuum })
    const erasure = (await readErasures(world.lakeStore())).find((one) => one.id === id)
    const { rows, erased, reason } = await ended
    world.trace.say(`  ${who}: ${rows} rows, ${erased ? 'erased' : 'not yet'}, ${reason ?? 'over'}`)
    if (!erased) return
    sim.tally.erasures += 1
    if (erasure !== undefined) await checkErased(sim, erasure)
  })
}
