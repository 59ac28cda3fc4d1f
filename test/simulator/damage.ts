import { hoursOf } from '../../lake/tables/hours.ts'
import { offsetsOf } from '../../lake/tables/messages.ts'
import { type FoundRecord, scanSegment } from '../../log/journal/scan.ts'
import { parseSegmentName } from '../../log/journal/segment-name.ts'
import type { Dice } from './dice.ts'
import type { Simulation } from './simulation.ts'
import { JOURNAL_DIR, LAKE_DIR } from './site.ts'

/**
 * Flips a bit in a record of the journal and notes which blocks may be missing from now on: that one and, as long as
 * nothing later proves that it had been synced, all that follow it. One flip a segment: two could hide each other's proof.
 */
export function flipJournal(sim: Simulation, dice: Dice): string {
  const { disk, oracle } = sim.world
  const segments = disk.paths().filter((path) => path.endsWith('.journal'))
  const whole = segments.filter((path) => !sim.flipped.has(path))
  if (whole.length === 0) return 'there is no whole segment to damage'
  const path = dice.pick(whole)
  const id = parseSegmentName(path.slice(JOURNAL_DIR.length + 1))!
  const { head, headBytes, records } = scanSegment(Buffer.from(disk.bytesOf(path)), id)
  if (head === null || records.length === 0) return 'there is no block to damage'
  const bit = dice.below(8)
  if (dice.float() < 0.1) {
    // The head of a segment is computed again from what came before, or looked up in the lake: nothing may be missing.
    disk.flip(path, dice.below(headBytes), bit)
    sim.flipped.add(path)
    return `a bit flips in the head of ${path}`
  }
  const i = dice.below(records.length)
  const record = records[i]!
  const proven = path !== segments.at(-1) || records.some(({ syncedTo }) => syncedTo >= record.end)
  const at = record.position + dice.below(record.end - record.position)
  disk.flip(path, at, bit)
  sim.flipped.add(path)
  const hurt: FoundRecord[] = proven ? [record] : records.slice(i)
  for (const { offset } of hurt) oracle.suspect(head.partition, offset)
  return `a bit flips in block ${head.partition}/${record.offset}${proven ? '' : ', of the last group'}`
}

/** Flips a bit in a data file of a live version. */
export async function flipDataFile(sim: Simulation, dice: Dice): Promise<string> {
  const { tables, config, disk, store } = sim.world
  const table = dice.pick([tables.view, tables.ticks, tables.view, tables.ticks, tables.messages])
  const snapshot = await table.snapshot()
  const files = [...(snapshot?.files.values() ?? [])].sort((a, b) => (a.path < b.path ? -1 : 1))
  if (files.length === 0) return `there is no file of ${table.name} to damage`
  const file = dice.pick(files)
  const key = `${table.name}/${file.path}`
  const at = dice.below(file.size)
  if (config.lake === 'disk') disk.flip(`${LAKE_DIR}/${key}`, at, dice.below(8))
  else store.objects.get(key)!.bytes[at]! ^= 1 << dice.below(8)
  sim.damagedFiles += 1
  if (table === tables.messages) {
    for (const hour of hoursOf(file)) sim.damagedHours.add(hour)
    for (const [partition, [first, last]] of Object.entries(offsetsOf(file)))
      for (let offset = first; offset <= last; offset++) sim.world.oracle.excuse(Number(partition), offset)
  }
  return `a bit flips in ${key}`
}

/** The journal is deleted while the process is down. */
export async function deleteJournal(sim: Simulation): Promise<string> {
  const { disk } = sim.world
  await sim.crash('process')
  sim.journalDeleted = true
  sim.world.journalLost = true
  const paths = disk.paths().filter((path) => path.startsWith(`${JOURNAL_DIR}/`))
  for (const path of paths) disk.erase(path)
  return 'the journal is deleted'
}
