import { backUp, verifyBackup } from '../../../lake/backup/backup.ts'
import { openTable } from '../../../lake/delta/table.ts'
import type { Dice } from '../dice.ts'
import type { Simulation } from '../simulation.ts'
import { DATA_DIR } from '../site.ts'

/** As `tidemark backup` does it, into a place that is not in trouble. */
export function backup(sim: Simulation, dice: Dice): string {
  const { world, backupStore } = sim
  const { journal } = world.parts!
  const before = Object.fromEntries(journal.partitions().map((p) => [p, journal.end(p)]))
  const time = new Date(world.clock.nowMs() + sim.backups.length).toISOString()
  return sim.beginCommand('backup', dice, async ({ life, store: lake, disk, clock }) => {
    const open = (name: string) => openTable(name, { store: lake, clock, random: world.random })
    const source = { disk, dataDir: DATA_DIR, lake, tables: [], openTable: open }
    const options = { time, signal: new AbortController().signal, tell: () => {} }
    const { manifest } = await backUp(source, life.gate(backupStore), options)
    sim.backups.push({ manifest, before })
    sim.tally.backups += 1
    await verifyBackup(backupStore, manifest)
  })
}
