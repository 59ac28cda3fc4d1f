import { expect, test } from 'vitest'
import type { TableSchema } from '../../../lake/delta/port.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { append, commitKey, schema, seen, txn, world } from './fixture.ts'

test('a commit that nothing stands against goes on behind the winner', async () => {
  const { table, base, open } = await world()
  const other = open()
  await append(other, { txns: { theirs: txn(1) } }, base)
  const after = await append(table, { txns: { ours: txn(1) } }, base)
  expect([after.version, after.files.size, [...after.txns.keys()]]).toEqual([2, 2, ['theirs', 'ours']])
  expect(seen(await other.snapshot())).toEqual(seen(after))
})

test('of two commits that set one txn on the same base one is discarded, also with the same value', async () => {
  const { table, base, open } = await world()
  await append(open(), { txns: { seal: txn(5) } }, base)
  for (const value of [5, 6]) {
    await expect(append(table, { txns: { seal: txn(value) } }, base)).rejects.toMatchObject({
      code: 'E_CONFLICT',
    })
  }
  expect((await append(table, { txns: { seal: txn(6) } })).txns.get('seal')?.version).toBe(6)
})

test('a txn never goes back', async () => {
  const { table } = await world()
  await append(table, { txns: { seal: txn(5) } })
  await expect(append(table, { txns: { seal: txn(4) } })).rejects.toMatchObject({ code: 'E_CONFLICT' })
})

test('a commit that removes a file already gone is discarded', async () => {
  const { table, open } = await world()
  const base = await append(table)
  const [path] = base.files.keys()
  await open().commit(base, { remove: [path!], dataChange: true, operation: 'DELETE' })
  const again = { remove: [path!], dataChange: false, operation: 'OPTIMIZE' }
  await expect(table.commit(base, again)).rejects.toMatchObject({ code: 'E_CONFLICT' })
})

test('two commits that set the configuration exclude each other; one that does not passes', async () => {
  const { table, base, open } = await world()
  await append(open(), { configuration: { color: 'red' } }, base)
  const second = append(table, { configuration: { color: 'blue' } }, base)
  await expect(second).rejects.toMatchObject({ code: 'E_CONFLICT' })
  expect((await append(table, {}, base)).configuration).toEqual({ color: 'red' })
})

const more: TableSchema = {
  ...schema,
  fields: [...schema.fields, { name: 'sketch', type: 'sketch', nullable: true }],
}

test('a commit changes the columns only when it says so, and keeps the rest', async () => {
  const { table, base, open } = await world()
  expect((await append(table, { configuration: { color: 'red' } })).schema).toEqual(base.schema)
  const after = await append(table, { schema: more })
  expect([after.schema, after.configuration, after.files.size]).toEqual([more, { color: 'red' }, 2])
  expect((await append(table)).schema).toEqual(more)
  expect(seen(await open().at(after.version))).toEqual(seen(after))
  expect((await open().at(base.version)).schema).toEqual(base.schema)
})

test('of two commits that set the columns, or one the columns and one the configuration, one is discarded', async () => {
  for (const first of [{ schema: more }, { configuration: { color: 'red' } }]) {
    const { table, base, open } = await world()
    await append(open(), first, base)
    await expect(append(table, { schema: more }, base)).rejects.toMatchObject({ code: 'E_CONFLICT' })
  }
})

test('rows worked out for other columns than the table has now are discarded', async () => {
  const { table, base, open } = await world()
  await append(open(), { schema: more }, base)
  await expect(append(table, {}, base)).rejects.toMatchObject({
    code: 'E_CONFLICT',
    message: expect.stringMatching(/columns in version 1/),
  })
  expect((await append(table)).schema).toEqual(more)
})

test('a race lost between looking and putting is noticed by the put', async () => {
  const { table, base, open, store } = await world()
  const other = open()
  store.faults = async ({ what, when }) => {
    if (what !== 'putIfAbsent' || when !== 'before') return
    store.faults = null
    await append(other, { txns: { seal: txn(1) } })
  }
  const change = { txns: { seal: txn(2) }, dataChange: true, operation: 'SEAL' }
  await expect(table.commit(base, change)).rejects.toMatchObject({ code: 'E_CONFLICT' })
  expect((await table.snapshot())?.txns.get('seal')?.version).toBe(1)
})

for (const [landed, when] of [
  ['stored', 'after'],
  ['not stored', 'before'],
] as const) {
  test(`a put without an answer that was ${landed} is made once`, async () => {
    const { table, base, store, open } = await world()
    store.faults = (call) => {
      if (call.what !== 'putIfAbsent' || call.when !== when) return
      store.faults = null
      throw new TidemarkError('E_STORE_AMBIGUOUS', 'no answer')
    }
    const after = await table.commit(base, { txns: { a: txn(1) }, dataChange: true, operation: 'TEST' })
    expect(after.version).toBe(1)
    expect(seen(await open().snapshot())).toEqual(seen(after))
  })
}

test('a put without an answer whose version went to another is tried at the next', async () => {
  const { table, base, store, open } = await world()
  const other = open()
  store.faults = async ({ what, when }) => {
    if (what !== 'putIfAbsent' || when !== 'before') return
    store.faults = null
    await append(other)
    throw new TidemarkError('E_STORE_AMBIGUOUS', 'no answer')
  }
  const after = await table.commit(base, { txns: { a: txn(1) }, dataChange: true, operation: 'TEST' })
  expect([after.version, after.files.size]).toEqual([2, 1])
})

test('a store that stays silent is tried a bounded number of times, then it says so', async () => {
  const { table, base, store, clock } = await world()
  let puts = 0
  store.faults = ({ what, when }) => {
    if (what !== 'putIfAbsent' || when !== 'before') return
    puts += 1
    throw new TidemarkError('E_STORE_AMBIGUOUS', 'no answer')
  }
  const result = table.commit(base, { dataChange: true, operation: 'TEST' })
  const failed = expect(result).rejects.toMatchObject({ code: 'E_STORE_AMBIGUOUS' })
  await clock.advance(60_000)
  await failed
  expect(puts).toBe(10)
})

test('a refusal is final: the caller gets it and nothing is stored', async () => {
  const { table, base, store } = await world()
  store.faults = ({ what }) => {
    if (what === 'putIfAbsent') throw new TidemarkError('E_STORE', 'no space left')
  }
  const result = table.commit(base, { dataChange: true, operation: 'TEST' })
  await expect(result).rejects.toMatchObject({ code: 'E_STORE' })
  expect(store.objects.has(commitKey(1))).toBe(false)
})

test('commits through one table at the same time all succeed, at different versions', async () => {
  const { table, open } = await world()
  const versions = await Promise.all(Array.from({ length: 10 }, async () => (await append(table)).version))
  expect(versions.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect((await open().snapshot())?.files.size).toBe(10)
})

test('times of versions grow even when the clock steps back', async () => {
  const { table, base, clock } = await world()
  clock.step(-5_000)
  expect((await append(table)).timeMs).toBe(base.timeMs + 1)
})

test('two that create the table at once share one version 0', async () => {
  const { open, store } = await world()
  store.objects.clear()
  const made = await Promise.all(
    [open(), open()].map((table) => table.create({ fields: [], partitionBy: [] }, {})),
  )
  expect(made.map(seen)).toEqual([seen(made[0]!), seen(made[0]!)])
})

test('a snapshot asked for after a commit returned sees it, whatever list was under way', async () => {
  const { table, open, store } = await world()
  const other = open()
  let asked: Promise<unknown> | null = null
  store.faults = async ({ what, when }) => {
    if (what !== 'list' || when !== 'after') return
    store.faults = null
    await append(other)
    asked = table.snapshot()
  }
  expect((await table.snapshot())?.version).toBe(0)
  expect(await asked).toMatchObject({ version: 1 })
})

test('looking when nothing is new costs one list, and one look for the next by its name', async () => {
  const { table, store } = await world()
  const calls: string[] = []
  store.faults = ({ what, when }) => void (when === 'before' && calls.push(what))
  await table.snapshot()
  expect(calls).toEqual(['list', 'get'])
})
