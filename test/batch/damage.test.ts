import { expect, test } from 'vitest'
import { openReference } from '../../batch/engines/reference.ts'
import type { MemoryStore } from '../../lake/store/memory.ts'
import { apiRig } from '../serving/http/rig.ts'
import { batchRig } from './rig.ts'

const URL = '/v1/services/checkout/stats?from=2026-11-22&to=2026-11-23'

/** Flips a byte in every data file of a table. */
function damage({ store }: { store: MemoryStore }, table: string): void {
  for (const key of store.objects.keysFrom(`${table}/date=`)) {
    const { bytes, modifiedMs } = store.objects.get(key)!
    const flipped = bytes.slice()
    flipped[10]! ^= 1
    store.objects.set(key, { bytes: flipped, modifiedMs })
  }
}

test('a damaged file of the view is made again from the messages', async () => {
  await using rig = await apiRig()
  damage(rig, 'service_minute')
  // Another hour of the same date: the damaged file is what its other hours would be carried from.
  await rig.send('checkout', 'web-1', '2026-11-22T08:00:00Z', [90, 1, 1])
  await rig.clock.advance(30_000)
  expect((await rig.batch.run({ full: false }))[0]).toMatchObject({ result: 'published', full: true })
  expect(rig.lines.join()).toMatch(/service_minute.*damaged.*everything is recomputed/)
  const stats = (await rig.app.inject({ url: URL })).json()
  expect(stats).toMatchObject({ messages: 4, complete: true, answered_by: { batch: 4, realtime: 0 } })
})

test('a damaged file of messages leaves its hours as they were, and is a gap in the answers', async () => {
  await using rig = await apiRig()
  damage(rig, 'messages')
  await rig.send('checkout', 'web-1', '2026-11-22T10:02:00Z', [90, 1, 1])
  await rig.send('checkout', 'web-1', '2026-11-22T08:00:00Z', [80, 1, 1])
  await rig.clock.advance(30_000)
  expect((await rig.batch.run({ full: true }))[0]!.result).toBe('published')
  const stats = (await rig.app.inject({ url: URL })).json()
  // The hour of the damaged file keeps the two messages of the version before, and lacks what came since.
  expect(stats).toMatchObject({ messages: 3, complete: false })
  expect(stats.gaps[0]).toMatchObject({ reason: expect.stringMatching(/messages.*damaged/), from: -1, to: 2 })
  const long = (
    await rig.app.inject({ url: '/v1/services/checkout/stats?from=2026-11-01&to=2026-11-02' })
  ).json()
  expect(long).toMatchObject({ complete: true, gaps: [{ to: 2 }] })
})

test('an engine that checks the files itself keeps the hours of a damaged one too', async () => {
  await using rig = await batchRig()
  const batch = await rig.batchOn(rig.tables(), {
    openEngine: async (tables) => ({
      ...(await openReference(tables)),
      verifies: true,
    }),
  })
  await rig.send(Date.UTC(2026, 10, 22, 9))
  await batch.run({ full: false })
  damage(rig, 'messages')
  await rig.send(Date.UTC(2026, 10, 21, 9))
  const [run] = await batch.run({ full: true })
  expect(run).toMatchObject({ result: 'published', files: 2 })
  expect(rig.lines.join()).toMatch(/messages.*damaged.*keep the cells/)
  expect((await rig.published()).cells).toBe(2)
  await batch.close()
})
