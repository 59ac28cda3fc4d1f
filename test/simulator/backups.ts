import { restore } from '../../lake/backup/restore.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { scanSegment } from '../../log/journal/scan.ts'
import { parseSegmentName } from '../../log/journal/segment-name.ts'
import { offsetIn, type Position } from '../../schemas/position.ts'
import { drain } from '../sim/incarnation.ts'
import { checkAnswers, rangesAt } from './check.ts'
import { checkMessages } from './message-rows.ts'
import { type Kept, Simulation } from './simulation.ts'
import { DATA_DIR, JOURNAL_DIR, LAKE_DIR } from './site.ts'

/** A run over little data. */
const RUN_MS = 60_000

/**
 * The newest backup, restored into an empty place: it starts, holds everything that was accepted before the backup was begun, and
 * answers and runs like the system that it was taken of.
 */
export async function checkBackups(sim: Simulation): Promise<void> {
  const { backups, backupStore, flipped, damagedFiles, journalDeleted } = sim
  const last = backups.at(-1)
  if (last === undefined || flipped.size + damagedFiles > 0 || journalDeleted) return
  const place = await restored(sim, last, backupStore)
  try {
    const { world } = place
    if (!(await world.start())) throw new Error(`what was restored does not start: ${world.lines.at(-1)}`)
    await checkAll(place)
    let records: readonly { view: string; result: string; error: string | null }[] | null = null
    void world.parts!.batch.run({ full: false }).then((got) => {
      records = got
    })
    for (let waitedMs = 0; records === null && waitedMs < RUN_MS; waitedMs += 1_000)
      await world.clock.advance(1_000)
    for (const { view, result, error } of records ?? [])
      if (!['published', 'nothing_new'].includes(result))
        throw new Error(`the run of ${view} is ${result}: ${error}`)
    if (records === null) throw new Error('the run is hanging')
    await checkAll(place)
    await checkMessages(place)
  } catch (error) {
    throw new Error(`restored from the backup of ${last.manifest.time}: ${(error as Error).message}`, {
      cause: error,
    })
  } finally {
    place.world.end()
  }
}

async function checkAll(place: Simulation): Promise<void> {
  const { world } = place
  await drain()
  world.throwIfBroken()
  checkAnswers(place, world.parts!.answers, { freshMs: null, ranges: rangesAt(world) })
}

async function restored(
  sim: Simulation,
  { manifest, before }: Kept,
  store: ObjectStore,
): Promise<Simulation> {
  const { config, clock, oracle, definitions, view } = sim.world
  const alone = { twin: false, node: false, amends: false, indexOutlives: false }
  const world = { ...config, ...alone, startMs: clock.nowMs() }
  const place = new Simulation({ seed: config.seed + 1, world, steps: [] }, null)
  const { disk } = place.world
  for (const [hash, one] of definitions) place.world.definitions.set(hash, one)
  place.world.view = view
  const into = (dir: string) => ({
    put: async (key: string, bytes: Uint8Array) => disk.put(`${dir}/${key}`, bytes),
  })
  const lake = config.lake === 'store' ? place.world.store : (into(LAKE_DIR) as ObjectStore)
  const options = { signal: new AbortController().signal, tell: () => {} }
  await restore(store, manifest, { data: into(DATA_DIR) as ObjectStore, lake }, options)
  const { starts, ends } = journalOf(place)
  for (const block of oracle.blocks) {
    const { partition, offset } = block
    const isBefore = offset <= offsetIn(before, partition)
    if (isBefore && offset > offsetIn(ends, partition))
      throw new Error(`block ${partition}/${offset} was accepted before, and is missing`)
    // Others are found in the journal, and may be none that the system went on with.
    if (isBefore || offset <= offsetIn(starts, partition)) place.world.oracle.record(block, 0)
  }
  place.world.oracle.amendments = oracle.amendments?.upTo(manifest.tables) ?? null
  return place
}

/** Between which blocks the journal lies, by partition. */
function journalOf({ world: { disk } }: Simulation): { starts: Position; ends: Position } {
  const starts: { [partition: number]: number } = {}
  const ends: { [partition: number]: number } = {}
  for (const path of disk.paths().filter((one) => one.endsWith('.journal'))) {
    const id = parseSegmentName(path.slice(JOURNAL_DIR.length + 1))!
    const { partition, firstOffset } = id
    const { records } = scanSegment(Buffer.from(disk.bytesOf(path)), id)
    starts[partition] = Math.min(starts[partition] ?? firstOffset - 1, firstOffset - 1)
    ends[partition] = Math.max(
      offsetIn(ends, partition),
      firstOffset - 1,
      ...records.map(({ offset }) => offset),
    )
  }
  return { starts, ends }
}
