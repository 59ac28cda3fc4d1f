import type { Erasure } from '../../lake/erase/erasure-log.ts'
import { viewState } from '../../lake/tables/published.ts'
import { covers, IMPORT_PARTITION, type Position } from '../../schemas/position.ts'
import { isErased } from './erasing.ts'
import { rowsOf } from './message-rows.ts'
import type { Simulation } from './simulation.ts'

/** Of an erasure that says it is done, the messages hold nothing, and every view is of such messages past what the log may give back. */
export async function checkErased(sim: Simulation, erasure: Erasure): Promise<void> {
  const { world } = sim
  if (sim.damagedHours.size > 0) return
  const { messages, dataset, views } = world.tables.all.datasets.find(
    (one) => one.dataset.name === erasure.dataset,
  )!
  const newest = (await messages.snapshot())!
  for (const [at, message] of await rowsOf(dataset, messages, newest)) {
    const [partition, offset] = at.split('/').map(Number) as [number, number]
    if (isErased(world, erasure, message, { partition, offset }))
      throw new Error(`erased, and version ${newest.version} of ${messages.name} holds ${at}`)
  }
  const version = world.oracle.amendments!.versionOf(`erase/${erasure.id}`)
  if (version === null) return
  const { [IMPORT_PARTITION]: _, ...upTo } = erasure.upTo
  for (const { published } of views) {
    const state = viewState(await published.snapshot())!
    if (state.messagesVersion < version || !covers(state.tidemark, upTo as Position))
      throw new Error(
        `erased, and ${published.name} is of version ${state.messagesVersion} at ${JSON.stringify(state.tidemark)}`,
      )
  }
}
