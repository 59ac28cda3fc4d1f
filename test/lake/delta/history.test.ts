import { expect, test } from 'vitest'
import { append, checkpointKey, commitKey, HOUR_MS, START_MS, seen, txn, world } from './fixture.ts'

const DAY_MS = 24 * HOUR_MS

test('every version can be read back, and found by its time', async () => {
  const { table, clock, open, base } = await world()
  const made = [base]
  for (let i = 0; i < 5; i++) {
    await clock.advance(1_000)
    made.push(await append(table))
  }
  const reader = open()
  for (const snapshot of made) {
    expect(seen(await reader.at(snapshot.version))).toEqual(seen(snapshot))
    expect(await reader.versionAt(snapshot.timeMs)).toBe(snapshot.version)
    expect(await reader.versionAt(snapshot.timeMs + 999)).toBe(snapshot.version)
  }
  await expect(reader.versionAt(START_MS - 1)).rejects.toMatchObject({ code: 'E_VERSION_GONE' })
  for (const version of [-1, 6, 0.5]) {
    await expect(reader.at(version)).rejects.toMatchObject({ code: 'E_VERSION_GONE' })
  }
})

test('changes are what the versions in between added and removed, compactions left out', async () => {
  const { table, open } = await world()
  const one = await append(table)
  const [path] = one.files.keys()
  const two = await append(table, { remove: [path!], dataChange: false })
  const three = await append(table)
  const last = [...three.files.keys()].at(-1)!
  const four = await table.commit(three, { remove: [last], dataChange: true, operation: 'DELETE' })
  const { added, removed } = (await open().changes(two.version - 1, four.version))!
  expect([added.map((file) => file.path), removed]).toEqual([[last], [last]])
  expect(await table.changes(4, 4)).toEqual({ added: [], removed: [] })
})

test('a commit has an id of its own, until it is gone', async () => {
  const { table, store } = await world()
  const [one, two] = [await append(table), await append(table)]
  const ids = await Promise.all([one, two].map(({ version }) => table.commitId(version)))
  expect(ids).toEqual([expect.any(String), expect.any(String)])
  expect(ids[0]).not.toBe(ids[1])
  store.objects.delete(commitKey(one.version))
  expect([await table.commitId(one.version), await table.commitId(two.version)]).toEqual([null, ids[1]])
})

test('a checkpoint holds everything its version says', async () => {
  const { table, open, store, clock } = await world()
  await append(table, {
    txns: { seal: { version: 7, lastUpdatedMs: 123 }, tick: { version: 1, lastUpdatedMs: null } },
  })
  for (let i = 0; i < 20; i++) await append(table, i === 3 ? { configuration: { 'a b': 'é"\n', c: '' } } : {})
  const some = [...(await table.snapshot())!.files.keys()].slice(0, 5)
  const last = await table.commit((await table.snapshot())!, {
    remove: some,
    dataChange: true,
    operation: 'DELETE',
  })
  await table.tend(clock.nowMs(), DAY_MS)
  expect(store.objects.has(checkpointKey(last.version))).toBe(true)
  for (let version = 0; version <= last.version; version++) store.objects.delete(commitKey(version))
  expect(seen(await open().snapshot())).toEqual(seen(last))
})

test('a checkpoint of thousands of files is read back whole', async () => {
  const { table, open, store, clock } = await world()
  const file = (await append(table)).files.values().next().value!
  const add = Array.from({ length: 5_000 }, (_, i) => ({
    ...file,
    path: `date=2026-11-22/${i} ü.parquet`,
    partition: { date: i % 7 === 0 ? null : '2026-11-22' },
    tags: i % 3 === 0 ? {} : { ...file.tags, offsets: `{"0":[${i},${i}]}` },
    min: i % 5 === 0 ? {} : file.min,
  }))
  let last = await append(table, { add })
  for (let i = 0; i < 20; i++) last = await append(table)
  await table.tend(clock.nowMs(), DAY_MS)
  for (let version = 0; version <= last.version; version++) store.objects.delete(commitKey(version))
  expect(seen(await open().snapshot())).toEqual(seen(last))
})

test('a checkpoint that cannot be read is passed over while the commits are there', async () => {
  const { table, open, store, clock } = await world()
  for (let i = 0; i < 25; i++) await append(table)
  await table.tend(clock.nowMs(), DAY_MS)
  const key = checkpointKey(25)
  store.objects.set(key, { bytes: store.objects.get(key)!.bytes.slice(0, 100), modifiedMs: 0 })
  const last = await append(table)
  expect(seen(await open().snapshot())).toEqual(seen(last))
  store.objects.delete(commitKey(0))
  await expect(open().snapshot()).rejects.toMatchObject({
    code: 'E_TABLE_DAMAGED',
    message: expect.stringContaining(key),
  })
})

test('a checkpoint with a wrong bit is not believed, wherever the bit is', async () => {
  const { table, open, store, clock } = await world()
  for (let i = 0; i < 25; i++) await append(table, { txns: { 'seal/0': txn(i) } })
  await table.tend(clock.nowMs(), DAY_MS)
  store.objects.delete(commitKey(0))
  const whole = seen(await open().snapshot())
  const key = checkpointKey(25)
  const { bytes } = store.objects.get(key)!
  const name = Buffer.from(bytes).lastIndexOf('tidemark.crc32')
  for (let at = 4; at < bytes.length - 8; at += 23) {
    // Without its name a checksum is not found, and all else is right.
    if (at >= name && at < name + 16) continue
    const hurt = Uint8Array.from(bytes)
    hurt[at]! ^= 1
    store.objects.set(key, { bytes: hurt, modifiedMs: 0 })
    await expect(open().snapshot(), `byte ${at}`).rejects.toMatchObject({ code: 'E_TABLE_DAMAGED' })
  }
  store.objects.set(key, { bytes, modifiedMs: 0 })
  expect(seen(await open().snapshot())).toEqual(whole)
})

const DAMAGE: [string, string, string][] = [
  ['half a line', '{"add":{"path":', 'E_TABLE_DAMAGED'],
  ['nothing', '', 'E_TABLE_DAMAGED'],
  ['an add without a size', '{"add":{"path":"x","partitionValues":{}}}', 'E_TABLE_DAMAGED'],
  ['a list', '[1]', 'E_TABLE_DAMAGED'],
  ['a newer protocol', '{"protocol":{"minReaderVersion":1,"minWriterVersion":7}}', 'E_TABLE_VERSION'],
  ['an action of the future', '{"domainMetadata":{"domain":"x"}}', 'E_TABLE_VERSION'],
  [
    'a column of another type',
    JSON.stringify({
      metaData: {
        id: 'x',
        format: { provider: 'parquet' },
        schemaString:
          '{"type":"struct","fields":[{"name":"a","type":"decimal(3,1)","nullable":true,"metadata":{}}]}',
        partitionColumns: [],
        configuration: {},
      },
    }),
    'E_TABLE_VERSION',
  ],
]
for (const [what, text, code] of DAMAGE) {
  test(`a commit that holds ${what} is refused and named`, async () => {
    const { open, store, table } = await world()
    store.objects.set(commitKey(1), { bytes: new TextEncoder().encode(text), modifiedMs: 0 })
    const names = code === 'E_TABLE_DAMAGED' ? commitKey(1) : /t|000/
    for (const one of [table, open()]) {
      await expect(one.snapshot()).rejects.toMatchObject({ code, message: expect.stringMatching(names) })
    }
  })
}

test('a missing commit is damage that names it', async () => {
  const { table, open, store } = await world()
  for (let i = 0; i < 3; i++) await append(table)
  store.objects.delete(commitKey(2))
  await expect(open().snapshot()).rejects.toMatchObject({
    code: 'E_TABLE_DAMAGED',
    message: expect.stringContaining(commitKey(2)),
  })
})

test('a table that is not there is null', async () => {
  const { open, store } = await world()
  store.objects.clear()
  expect(await open().snapshot()).toBe(null)
})
