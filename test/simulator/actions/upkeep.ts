import { queryTables } from '../../../lake/query/catalog.ts'
import { mergeAll } from '../../../lake/writer/merge-files.ts'
import { encodeHere } from '../../../lake/writer/seal-files.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import type { Dice } from '../dice.ts'
import { checkKeptVersions } from '../kept-versions.ts'
import { checkMessages } from '../message-rows.ts'
import type { Simulation } from '../simulation.ts'

/** As `tidemark lake compact` does it; by a clock ahead, the dates that still grow are closed too. */
export function compact(sim: Simulation, dice: Dice): string {
  const aheadMs = dice.pick([0, 2 * DAY_MS, 2 * DAY_MS])
  if (sim.world.up && dice.float() < 0.5) sim.begin('seal', (parts) => parts.writer.seal())
  const others = dice.float() < 0.3 ? beginCompaction(sim, dice, aheadMs) : ''
  return `${others} ${beginCompaction(sim, dice, aheadMs)}`
}

function beginCompaction(sim: Simulation, dice: Dice, aheadMs: number): string {
  return sim.beginCommand('compaction', dice, async (command) => {
    const { tables } = command
    const clock = { ...command.clock, nowMs: () => command.clock.nowMs() + aheadMs }
    for (const { dataset, messages } of tables.datasets) {
      if ((await messages.snapshot()) === null) continue
      const merged = () => {
        sim.tally.merges += 1
      }
      const deps = { dataset, messages, encoder: encodeHere, clock, logLine: sim.world.say, merged }
      await mergeAll(deps, () => false)
    }
    await checkMessages(sim)
  })
}

/** As `tidemark lake vacuum` does it. */
export function vacuum(sim: Simulation, dice: Dice): string {
  return sim.beginCommand('vacuum', dice, async ({ clock, tables }) => {
    for (const { table } of queryTables(tables)) await table.tend(clock.nowMs(), sim.world.config.retentionMs)
    sim.tally.vacuums += 1
    await checkKeptVersions(sim, dice)
  })
}
