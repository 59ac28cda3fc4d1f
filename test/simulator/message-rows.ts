import type { Snapshot, Table } from '../../lake/delta/port.ts'
import { decodeMessages } from '../../lake/parquet/messages.ts'
import { coveredPosition } from '../../lake/tables/messages.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { type Message, messageAt } from '../../schemas/message.ts'
import { offsetIn } from '../../schemas/position.ts'
import type { Imported } from './amendments.ts'
import { contentOf, type Oracle } from './oracle.ts'
import type { Simulation } from './simulation.ts'

/**
 * The tables of messages hold every message that they cover once, as it was accepted. Where damage may have taken some, none is
 * there twice.
 */
export async function checkMessages(sim: Simulation): Promise<void> {
  // Files that cannot be read tell nothing.
  if (sim.damagedHours.size > 0) return
  for (const { dataset, messages } of sim.world.tables.all.datasets) {
    const snapshot = await messages.snapshot()
    if (snapshot === null) continue
    const rows = await rowsOf(dataset, messages, snapshot)
    if (sim.flipped.size === 0 && !sim.journalDeleted) compare(sim, dataset, snapshot, rows)
  }
}

/** Messages by place in the log, `partition/offset/index`. */
export async function rowsOf(dataset: Dataset, messages: Table, { version, files }: Snapshot) {
  const rows = new Map<string, Message>()
  for (const file of files.values()) {
    const { columns, partition, offset, index } = await decodeMessages(dataset, await messages.readFile(file))
    for (let i = 0; i < columns.length; i++) {
      const place = `${partition[i]}/${offset[i]}/${index[i]}`
      if (rows.has(place)) throw new Error(`version ${version} of ${messages.name} holds ${place} twice`)
      rows.set(place, messageAt(columns, i))
    }
  }
  return rows
}

function compare(
  { world }: Simulation,
  dataset: Dataset,
  snapshot: Snapshot,
  rows: ReadonlyMap<string, Message>,
): void {
  const { oracle } = world
  const { version } = snapshot
  const covered = coveredPosition(snapshot)
  const left = new Map(rows)
  oracle.amendments?.look()
  for (const block of oracle.blocks) {
    const { messages, partition, offset } = block
    if (messages.form.dataset !== dataset.name || offset > offsetIn(covered, partition)) continue
    for (let i = 0; i < messages.length; i++) {
      const place = `${partition}/${offset}/${i}`
      const message = amended(oracle, block, i, version)
      const [got, want] = [left.get(place), message ?? undefined].map((one) => one && contentOf(one))
      left.delete(place)
      if (got !== want)
        throw new Error(`version ${version} of ${dataset.name} holds ${place} as ${got} instead of ${want}`)
    }
  }
  for (const file of oracle.amendments?.imported(dataset.name, version) ?? []) {
    const all = Array.from({ length: file.messages.length }, (_, i) => amended(oracle, file, i, version))
    const places = [...left.keys()].filter((place) => place.startsWith(`${file.partition}/${file.offset}/`))
    const got = places.map((place) => contentOf(left.get(place)!)).sort()
    const want = all.flatMap((message) => (message === null ? [] : contentOf(message))).sort()
    if (got.join() !== want.join())
      throw new Error(
        `version ${version} of ${dataset.name} holds import ${file.offset} as ${got} instead of ${want}`,
      )
    for (const place of places) left.delete(place)
  }
  if (left.size > 0)
    throw new Error(`${dataset.name} holds what was never accepted: ${[...left.keys()].slice(0, 4)}`)
}

function amended({ amendments }: Oracle, block: Imported, i: number, version: number): Message | null {
  return amendments?.any
    ? amendments.message(block.messages, i, block, version)
    : messageAt(block.messages, i)
}
