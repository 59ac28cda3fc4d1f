import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Keep } from '../../lake/expire/keep.ts'
import { findUnfinished, removeUnfinished } from '../../lake/expire/unfinished.ts'
import { decodeCells } from '../../lake/parquet/cells.ts'
import type { LakeTables } from '../../lake/tables/deployment.ts'
import { viewState } from '../../lake/tables/published.ts'
import { messagesIn } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import { batchRig, gateIn } from '../batch/rig.ts'
import { expireBy, expireOlder } from './expire-older.ts'

type Rig = Awaited<ReturnType<typeof batchRig>>

/** The rig's clock begins in the middle of 22 November. */
const OLD_MS = Date.UTC(2026, 10, 10, 9)
const WEEK: Keep = [{ dataset: null, service: null, keepMs: 7 * DAY_MS }]

const expire = (rig: Rig, keep: Keep = WEEK, isDry = false) => expireBy(rig, keep, isDry)

async function rowsIn(tables: LakeTables): Promise<number> {
  const snapshot = await tables.datasets[0]!.messages.snapshot()
  return [...snapshot!.files.values()].reduce((sum, { rows }) => sum + rows, 0)
}

/** Messages in the cells of each view, as published. */
async function counted(rig: Rig): Promise<number[]> {
  return Promise.all(
    rig.tables().datasets[0]!.views.map(async ({ view, published }) => {
      let sum = 0
      for (const file of (await published.snapshot())!.files.values()) {
        const cells = await decodeCells(view, await published.readFile(file))
        sum += messagesIn(cells, 0, cells.length)
      }
      return sum
    }),
  )
}

/** A lake with three old messages and one of today, published. */
async function oldRig() {
  const rig = await batchRig()
  for (const timeMs of [OLD_MS, OLD_MS + 1, OLD_MS + 5 * HOUR_MS, Date.UTC(2026, 10, 22, 9)])
    await rig.send(timeMs)
  await rig.batch.run({ full: false })
  expect(await counted(rig)).toEqual([4, 4])
  return rig
}

test('expired messages leave their table, and their cells stay, whatever is recomputed and restarted', async () => {
  await using rig = await oldRig()
  expect(await expire(rig, WEEK, true)).toEqual([
    { table: 'messages', date: '2026-11-10', rows: 3, files: 1 },
  ])
  expect(await rowsIn(rig.tables())).toBe(4)
  expect(await expire(rig)).toEqual([{ table: 'messages', date: '2026-11-10', rows: 3, files: 1 }])
  expect(await rowsIn(rig.tables())).toBe(1)
  expect(await expire(rig)).toEqual([])
  for (const full of [false, true, true]) {
    const other = await rig.batchOn(rig.tables())
    expect((await other.run({ full })).map(({ result }) => result)).toEqual(['published', 'published'])
    await other.close()
    expect(await counted(rig)).toEqual([4, 4])
  }
})

test('a message that comes late for a date that is frozen is added to it, and expires in its turn', async () => {
  await using rig = await oldRig()
  await expire(rig)
  for (const late of [1, 2]) {
    await rig.send(OLD_MS + late)
    await rig.batch.run({ full: false })
    expect(await counted(rig)).toEqual([4 + late, 4 + late])
    await rig.batch.run({ full: true })
    expect(await counted(rig)).toEqual([4 + late, 4 + late])
    expect((await expire(rig)).map(({ rows }) => rows)).toEqual([1])
    await rig.batch.run({ full: true })
    expect(await counted(rig)).toEqual([4 + late, 4 + late])
  }
  expect(await rowsIn(rig.tables())).toBe(1)
})

test('an expiry that ends between its commits changes nothing, and is done again', async () => {
  await using rig = await oldRig()
  rig.store.faults = ({ what, key, when }) => {
    if (what === 'putIfAbsent' && key.startsWith('messages/_delta_log/') && when === 'before')
      throw new TidemarkError('E_STORE', 'the process ended')
  }
  await expect(expire(rig)).rejects.toThrow('the process ended')
  rig.store.faults = null
  await rig.batch.run({ full: true })
  expect(await counted(rig)).toEqual([4, 4])
  expect((await expire(rig)).map(({ rows }) => rows)).toEqual([3])
  await rig.batch.run({ full: true })
  expect(await counted(rig)).toEqual([4, 4])
})

test('frozen cells of an expiry that was killed in the middle are removed hours later, and nothing counts twice or is lost', async () => {
  await using rig = await oldRig()
  rig.store.faults = ({ what, key, when }) => {
    if (what === 'putIfAbsent' && key.startsWith('messages/_delta_log/') && when === 'before')
      throw new TidemarkError('E_STORE', 'the process ended')
  }
  await expect(expire(rig)).rejects.toThrow('the process ended')
  rig.store.faults = null
  const tables = rig.tables().datasets[0]!
  const left = () => [...rig.store.objects.keys()].filter((key) => /_frozen\/date=/.test(key))
  const orphans = left()
  expect(orphans).toHaveLength(2)
  // It may still go on.
  expect(await removeUnfinished(tables, rig.clock)).toEqual([])
  await rig.clock.advance(5 * HOUR_MS)
  await rig.send()
  await rig.batch.run({ full: false })
  // One that is whole stays.
  expect((await expire(rig)).map(({ rows }) => rows)).toEqual([3])
  expect((await findUnfinished(tables, rig.clock)).map(({ table }) => table)).toEqual([
    'service_minute_frozen',
    'host_minute_frozen',
  ])
  expect((await removeUnfinished(tables, rig.clock)).flatMap(({ files }) => files)).toHaveLength(2)
  expect(await removeUnfinished(tables, rig.clock)).toEqual([])
  await rig.batch.run({ full: true })
  expect(await counted(rig)).toEqual([5, 5])
  // The bytes go with the upkeep of any table, once the table went on.
  await rig.clock.advance(25 * HOUR_MS)
  for (const { frozen } of tables.views) {
    await frozen.commit((await frozen.snapshot())!, { operation: 'VACUUM', dataChange: false })
    await frozen.tend(rig.clock.nowMs(), 24 * HOUR_MS)
  }
  expect(left()).toHaveLength(2)
  expect(left().some((key) => orphans.includes(key))).toBe(false)
  await rig.batch.run({ full: true })
  expect(await counted(rig)).toEqual([5, 5])
})

/** An expiry that stands before its commit of messages until `gate` opens. */
async function heldExpiry(rig: Awaited<ReturnType<typeof oldRig>>) {
  const gate = gateIn(rig.store, 'messages/_delta_log/')
  const slow = expire(rig)
  await gate.reached
  rig.store.faults = null
  return { gate, slow }
}

test('an expiry that goes on after its frozen cells were removed does not become one', async () => {
  await using rig = await oldRig()
  const { gate, slow } = await heldExpiry(rig)
  expect(await removeUnfinished(rig.tables().datasets[0]!, rig.clock, 0)).toHaveLength(2)
  gate.open()
  // It was fenced, and made again.
  expect((await slow).map(({ rows }) => rows)).toEqual([3])
  await rig.batch.run({ full: true })
  expect(await counted(rig)).toEqual([4, 4])
})

test('messages that another writer touched meanwhile expire as they then are', async () => {
  await using rig = await oldRig()
  const { gate, slow } = await heldExpiry(rig)
  expect((await expire(rig)).map(({ rows }) => rows)).toEqual([3])
  gate.open()
  expect(await slow).toEqual([])
  await rig.batch.run({ full: true })
  expect(await counted(rig)).toEqual([4, 4])
})

test('a run that was planned before an expiry publishes after it, and nothing is lost or twice', async () => {
  await using rig = await oldRig()
  await rig.send(OLD_MS + 2)
  const gate = gateIn(rig.store, 'service_minute/date=')
  const ended = rig.batch.run({ full: true })
  await gate.reached
  rig.store.faults = null
  await expire(rig)
  gate.open()
  await ended
  expect(await counted(rig)).toEqual([5, 5])
  await rig.batch.run({ full: true })
  expect(await counted(rig)).toEqual([5, 5])
})

test('what is above a tidemark, or in a dataset with a view that is not published, does not expire', async () => {
  await using rig = await batchRig()
  await rig.send(OLD_MS)
  await rig.seal()
  expect(await expire(rig)).toEqual([])
  await rig.batch.run({ full: false })
  await rig.send(OLD_MS + 1)
  await rig.seal()
  expect((await expire(rig)).map(({ rows }) => rows)).toEqual([1])
  await rig.batch.run({ full: false })
  expect(await counted(rig)).toEqual([2, 2])
})

test('what is kept is said by dataset and by service, and by default everything is', async () => {
  await using rig = await oldRig()
  const of = (dataset: string | null, service: string | null, days: number | null) => {
    return { dataset, service, keepMs: days === null ? null : days * DAY_MS }
  }
  for (const keep of [
    [],
    [of(null, null, null)],
    [of(null, null, 30)],
    [of(null, null, 7), of('host', null, null)],
    [of(null, null, 7), of('host', 'web', null)],
    [of('scores', null, 7), of('host', 'other', 7)],
    // The date has not ended so long ago.
    [of(null, null, 12)],
  ])
    expect(await expire(rig, keep, true)).toEqual([])
  for (const keep of [[of('host', null, 7)], [of(null, null, null), of('host', 'web', 11)]])
    expect((await expire(rig, keep, true)).map(({ rows }) => rows)).toEqual([3])
})

test('a damaged file of frozen cells leaves its date as it was, and is a gap', async () => {
  await using rig = await oldRig()
  await expire(rig)
  await rig.batch.run({ full: true })
  for (const key of [...rig.store.objects.keys()].filter((one) =>
    one.startsWith('service_minute_frozen/date='),
  ))
    rig.store.objects.get(key)!.bytes.fill(0)
  const [service] = await rig.batch.run({ full: true })
  expect(service).toMatchObject({ result: 'published' })
  expect(await counted(rig)).toEqual([4, 4])
  const { gaps } = viewState((await rig.views.service.published.snapshot())!)!
  expect(gaps).toMatchObject([{ fromMs: Date.UTC(2026, 10, 10), reason: expect.stringContaining('damaged') }])
})

test('versions of before an expiry can be read until they are vacuumed', async () => {
  await using rig = await oldRig()
  const { messages, views } = rig.tables().datasets[0]!
  const [before, version] = [(await messages.snapshot())!.version, (await rig.published()).version]
  await expire(rig)
  await rig.batch.run({ full: true })
  const rows = [...(await messages.at(before)).files.values()].map((file) => file.rows)
  expect(rows.reduce((sum, n) => sum + n, 0)).toBe(4)
  const { view, published } = views[0]!
  const cells = []
  for (const file of (await published.at(version)).files.values())
    cells.push(await decodeCells(view, await published.readFile(file)))
  expect(cells.map((one) => messagesIn(one, 0, one.length))).toEqual([3, 1])
})

test('in any order of messages, runs and expiries each message is counted once', async () => {
  const step = fc.oneof(
    fc.record({ send: fc.integer({ min: 0, max: 12 }) }),
    fc.constantFrom({ run: false }, { run: true }, { expire: 5 }, { expire: 9 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      await using rig = await batchRig()
      let sent = 0
      for (const one of steps) {
        if ('send' in one) {
          await rig.send(OLD_MS + one.send * DAY_MS)
          sent += 1
        } else if ('expire' in one) {
          await expireOlder(rig, one.expire!)
        } else {
          await rig.batch.run({ full: one.run! })
          expect(await counted(rig)).toEqual([sent, sent])
        }
      }
      await rig.batch.run({ full: true })
      expect(await counted(rig)).toEqual([sent, sent])
    }),
    { numRuns: 20 },
  )
})
