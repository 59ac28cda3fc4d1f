import { expect, test } from 'vitest'
import { storageUse } from '../../../cli/compose/storage-use.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import { batchRig } from '../../batch/rig.ts'
import { expireOlder } from '../../lake/expire-older.ts'

const YESTERDAY_MS = Date.UTC(2026, 10, 21, 9)

test('a dataset takes what its tables hold, and grows by a mean whole day; a price is told where one is set', async () => {
  await using rig = await batchRig()
  const tables = rig.tables()
  await rig.send(YESTERDAY_MS + DAY_MS)
  await rig.batch.run({ full: false })
  const [today] = (await storageUse(tables, 0, rig.clock)())!
  expect(today).toMatchObject({ dataset: 'host', rows: 1, grows_by_day_bytes: null })
  expect(today).not.toHaveProperty('price_by_month')

  await rig.send(YESTERDAY_MS)
  await rig.send(YESTERDAY_MS - DAY_MS)
  await rig.send(YESTERDAY_MS - 100 * DAY_MS)
  await rig.batch.run({ full: false })
  const use = storageUse(tables, 0.5, rig.clock)
  const [host] = (await use())!
  const live = (name: string, date = '') => {
    const table = tables.datasets[0]!
    const of = [table.messages, ...table.views.flatMap(({ published, ticks }) => [published, ticks])]
    return Promise.all(of.filter((one) => one.name === name).map((one) => one.snapshot())).then((found) =>
      [...found[0]!.files.values()]
        .filter(({ path }) => path.includes(date))
        .reduce((sum, { path }) => sum + rig.store.objects.get(`${name}/${path}`)!.bytes.length, 0),
    )
  }
  const views = (await live('service_minute')) + (await live('host_minute'))
  expect(host).toMatchObject({ rows: 4, messages_bytes: await live('messages'), views_bytes: views })
  expect(host!.bytes).toBe(host!.messages_bytes + views + host!.ticks_bytes)
  let twoDays = 0
  for (const date of ['2026-11-20', '2026-11-21'])
    for (const name of ['messages', 'service_minute', 'host_minute']) twoDays += await live(name, date)
  expect(host!.grows_by_day_bytes).toBe(Math.round(twoDays / 2))
  expect(host!.price_by_month).toBeCloseTo((host!.bytes / 1e9) * 0.5, 15)
  expect(host!.price_grows_by_day).toBeCloseTo((Math.round(twoDays / 2) / 1e9) * 0.5, 15)

  // It is not looked at again at once.
  await rig.send(YESTERDAY_MS)
  await rig.batch.run({ full: false })
  expect((await use())![0]!.rows).toBe(4)
  await rig.clock.advance(60_000)
  expect((await use())![0]!.rows).toBe(5)
})

test('cells of expired messages are part of what a dataset takes, and of its growth', async () => {
  await using rig = await batchRig()
  await rig.send(YESTERDAY_MS)
  await rig.send(YESTERDAY_MS + DAY_MS)
  await rig.batch.run({ full: false })
  const before = (await storageUse(rig.tables(), 0, rig.clock)())![0]!
  expect(before.frozen_bytes).toBe(0)
  await rig.clock.advance(DAY_MS)
  await rig.send(YESTERDAY_MS + DAY_MS)
  await rig.batch.run({ full: false })
  await expireOlder(rig, 1)
  await rig.batch.run({ full: false })
  const tables = rig.tables()
  const [host] = (await storageUse(tables, 0, rig.clock)())!
  const bytesOf = (table: RegExp) =>
    [...rig.store.objects].flatMap(([key, { bytes }]) => (table.test(key) ? [bytes.length] : []))
  const frozen = bytesOf(/^(service|host)_minute_frozen\/date=/)
  expect(frozen).toHaveLength(2)
  expect(host!.frozen_bytes).toBe(frozen[0]! + frozen[1]!)
  expect(host!.bytes).toBe(host!.messages_bytes + host!.views_bytes + host!.ticks_bytes + host!.frozen_bytes)
  // The date whose messages are gone grew by its cells, published and frozen.
  expect(host!.grows_by_day_bytes).toBeGreaterThan(Math.round(host!.frozen_bytes / 2))
})
