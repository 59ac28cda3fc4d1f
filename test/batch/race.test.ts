import { expect, test } from 'vitest'
import type { Table } from '../../lake/delta/port.ts'
import type { LakeTables } from '../../lake/tables/deployment.ts'
import { batchRig } from './rig.ts'

/** `tables` whose looks at the messages, or at the first view's versions, are `look`, given the real one. */
function looking(
  tables: LakeTables,
  at: 'messages' | 'published',
  look: (real: () => ReturnType<Table['snapshot']>) => ReturnType<Table['snapshot']>,
): LakeTables {
  const watched = (table: Table) =>
    new Proxy(table, {
      get(of, name) {
        if (name === 'snapshot') return () => look(() => of.snapshot())
        const value = Reflect.get(of, name, of)
        return typeof value === 'function' ? value.bind(of) : value
      },
    })
  return {
    ...tables,
    datasets: tables.datasets.map((dataset) => ({
      ...dataset,
      messages: at === 'messages' ? watched(dataset.messages) : dataset.messages,
      views: dataset.views.map((view, i) =>
        at === 'published' && i === 0 ? { ...view, published: watched(view.published) } : view,
      ),
    })),
  }
}

test.each(['messages', 'published'] as const)(
  'another run publishes during a look at %s: it is not published over',
  async (at) => {
    await using rig = await batchRig()
    await rig.send(Date.UTC(2026, 10, 22, 9, 0))
    await rig.batch.run({ full: false })
    let armed = false
    const other = await rig.batchOn(
      looking(rig.tables(), at, async (real) => {
        if (!armed) return real()
        armed = false
        await rig.send(Date.UTC(2026, 10, 22, 9, 1))
        await rig.batch.run({ full: false })
        return real()
      }),
    )
    armed = true
    const [service] = await other.run({ full: true })
    // Either it has seen what the other published, or it is discarded.
    expect(service!.result).toBe(at === 'messages' ? 'lost_race' : 'published')
    expect(await rig.published()).toMatchObject({ tidemark: 1, cells: 2 })
    await other.close()
  },
)

test('messages older than those that the published version was computed of are refused', async () => {
  await using rig = await batchRig()
  await rig.send()
  await rig.batch.run({ full: false })
  const old = await rig.tables().datasets[0]!.messages.snapshot()
  await rig.send()
  await rig.batch.run({ full: false })
  const before = await rig.published()
  const other = await rig.batchOn(looking(rig.tables(), 'messages', async () => old))
  const [service] = await other.run({ full: true })
  expect(service).toMatchObject({
    result: 'failed',
    error: 'messages is at version 1, and the published service_minute was computed of 2 (E_TABLE_DAMAGED)',
  })
  expect(await rig.published()).toEqual(before)
  await other.close()
})

test('messages that an older copy of grew past the version that was read are refused, but by a full run', async () => {
  await using rig = await batchRig()
  await rig.send()
  await rig.batch.run({ full: false })
  const copy = new Map([...rig.store.objects].filter(([key]) => key.startsWith('messages/')))
  await rig.send()
  await rig.batch.run({ full: false })
  const before = await rig.published()
  for (const key of [...rig.store.objects.keys()].filter((one) => one.startsWith('messages/')))
    rig.store.objects.delete(key)
  for (const [key, object] of copy) rig.store.objects.set(key, object)
  const tables = rig.tables()
  const { messages } = tables.datasets[0]!
  for (let i = 0; i < 2; i++)
    await messages.commit((await messages.snapshot())!, { operation: 'MERGE', dataChange: false })
  const other = await rig.batchOn(tables)
  const [service] = await other.run({ full: false })
  expect(service).toMatchObject({ result: 'failed', error: expect.stringContaining('batch --once --full') })
  expect(await rig.published()).toEqual(before)
  const [full] = await other.run({ full: true })
  expect(full!.result).toBe('published')
  expect((await other.run({ full: false }))[0]!.result).toBe('nothing_new')
  await other.close()
})
