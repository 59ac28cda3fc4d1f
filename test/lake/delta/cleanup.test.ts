import { expect, test } from 'vitest'
import type { Snapshot, Table } from '../../../lake/delta/port.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { append, checkpointKey, commitKey, HOUR_MS, seen, world } from './fixture.ts'

const RETENTION_MS = 10 * HOUR_MS

/** A version an hour, each replacing the file of the one before, with upkeep after each. */
async function hours(w: Awaited<ReturnType<typeof world>>, count: number, tend = true): Promise<Snapshot[]> {
  const made: Snapshot[] = []
  for (let i = 0; i < count; i++) {
    await w.clock.advance(HOUR_MS)
    const base = (await w.table.snapshot())!
    made.push(
      await append(w.table, {
        remove: [...base.files.keys()],
        txns: { n: { version: base.version, lastUpdatedMs: null } },
      }),
    )
    if (tend) await w.table.tend(w.clock.nowMs(), RETENTION_MS)
  }
  return made
}

/** Throws unless every file that `snapshot` names can be read. */
async function readAll(table: Table, snapshot: Snapshot): Promise<void> {
  for (const file of snapshot.files.values()) await table.readFile(file)
}

test('upkeep keeps every version within the retention, with its files, and bounds all else', async () => {
  const w = await world()
  const made = await hours(w, 100)
  const cutoffMs = w.clock.nowMs() - RETENTION_MS
  const reader = w.open()
  for (const snapshot of made.filter(
    (_, i) => (made[i + 1]?.timeMs ?? Number.POSITIVE_INFINITY) > cutoffMs,
  )) {
    expect(seen(await reader.at(snapshot.version))).toEqual(seen(snapshot))
    await readAll(reader, snapshot)
  }
  const keys = [...w.store.objects.keys()]
  expect(keys.filter((key) => key.includes('/date=')).length).toBeLessThanOrEqual(12)
  expect(keys.filter((key) => key.endsWith('.json')).length).toBeLessThanOrEqual(40)
  expect(await reader.changes(0, 100)).toBe(null)
  await expect(reader.at(3)).rejects.toMatchObject({
    code: 'E_VERSION_GONE',
    message: expect.stringMatching(/oldest is 90, of 2026-/),
  })
  await expect(reader.versionAt(made[3]!.timeMs)).rejects.toMatchObject({ code: 'E_VERSION_GONE' })
  expect(await reader.versionAt(made[90]!.timeMs)).toBe(91)
})

/** Stores a file that is not yet part of any version. */
function write(table: Table) {
  return table.writeFile(new Uint8Array(3), { partition: { date: '2026-11-22' }, rows: 1, min: {}, max: {} })
}

test('a file that no version names goes when it is older than the retention, and no sooner', async () => {
  const { table, clock, store } = await world()
  const { path } = await write(table)
  store.objects.set('t/_hidden/x.parquet', { bytes: new Uint8Array(), modifiedMs: 0 })
  await clock.advance(RETENTION_MS - 1)
  await append(table)
  await table.tend(clock.nowMs(), RETENTION_MS)
  expect(store.objects.has(`t/${path}`)).toBe(true)
  await clock.advance(1)
  await append(table)
  await table.tend(clock.nowMs(), RETENTION_MS)
  expect([store.objects.has(`t/${path}`), store.objects.has('t/_hidden/x.parquet')]).toEqual([false, true])
})

test('a clock that jumps removes nothing that a writer is about to commit', async () => {
  const { table, clock, base } = await world()
  const file = await write(table)
  clock.step(25 * HOUR_MS)
  await table.tend(clock.nowMs(), 24 * HOUR_MS)
  const after = await table.commit(base, { add: [file], dataChange: true, operation: 'SEAL' })
  await readAll(table, after)
})

test('a clock that jumps removes no file of a version that was just replaced', async () => {
  const { table, clock } = await world()
  const before = await append(table)
  await append(table, { remove: [...before.files.keys()] })
  clock.step(25 * HOUR_MS)
  await table.tend(clock.nowMs(), 24 * HOUR_MS)
  await readAll(table, before)
})

test('a file that waited while others got on for hours is not committed: a clean-up may have removed it', async () => {
  const { table, clock, base, open } = await world()
  const other = open()
  const file = await write(table)
  clock.step(25 * HOUR_MS)
  await append(other)
  await other.tend(clock.nowMs(), 24 * HOUR_MS)
  const late = table.commit(base, { add: [file], dataChange: true, operation: 'SEAL' })
  await expect(late).rejects.toMatchObject({
    code: 'E_CONFLICT',
    message: expect.stringContaining(file.path),
  })
})

test('a clock that jumped and was set right lets no version name a file that is gone', async () => {
  const { table, clock, base, open } = await world()
  const other = open()
  const gone = await write(table)
  clock.step(1_000 * HOUR_MS)
  await append(other)
  await other.tend(clock.nowMs(), 24 * HOUR_MS)
  clock.step(-1_000 * HOUR_MS)
  const late = table.commit(base, { add: [gone], dataChange: true, operation: 'SEAL' })
  await expect(late).rejects.toMatchObject({ code: 'E_CONFLICT' })
  await readAll(table, await append(table))
})

test('however short the retention, a file that may still be committed is kept', async () => {
  const { table, clock } = await world()
  const file = await write(table)
  await clock.advance(3 * HOUR_MS)
  const base = await append(table)
  await table.tend(clock.nowMs(), HOUR_MS)
  await readAll(table, await table.commit(base, { add: [file], dataChange: true, operation: 'SEAL' }))
})

test('a process that is killed at any call of upkeep leaves a whole table, and the next finishes', async () => {
  for (let killAt = 1; ; killAt++) {
    const w = await world()
    const made = await hours(w, 25, false)
    const last = made.at(-1)!
    // A checkpoint from before the cut-off, so that the log is cleaned too.
    w.store.faults = null
    await w.table.tend(w.clock.nowMs(), 1_000 * HOUR_MS)
    await hours(w, 22, false)
    const newest = (await w.table.snapshot())!
    let calls = 0
    w.store.faults = ({ when }) => {
      if (when === 'after' && ++calls >= killAt) throw new TidemarkError('E_STORE', 'killed')
    }
    const finished = await w
      .open()
      .tend(w.clock.nowMs(), RETENTION_MS)
      .then(
        () => true,
        () => false,
      )
    w.store.faults = null
    expect(seen(await w.open().snapshot())).toEqual(seen(newest))
    await readAll(w.table, await w.open().at(newest.version - 5))
    await w.open().tend(w.clock.nowMs(), RETENTION_MS)
    expect(seen(await w.open().snapshot())).toEqual(seen(newest))
    expect(w.store.objects.has(commitKey(last.version - 1))).toBe(false)
    expect(w.store.objects.has(checkpointKey(newest.version))).toBe(true)
    if (finished) break
  }
})

test('a writer that slept through a clean-up goes on behind the newest version', async () => {
  const w = await world()
  const sleeper = w.open()
  const base = (await sleeper.snapshot())!
  await hours(w, 60)
  expect(w.store.objects.has(commitKey(1))).toBe(false)
  await expect(
    append(sleeper, { txns: { n: { version: 99, lastUpdatedMs: null } } }, base),
  ).rejects.toMatchObject({ code: 'E_CONFLICT' })
  expect((await append(sleeper, {}, base)).version).toBe(61)
})

test('the last checkpoint named is one that is there, though the hint was lost', async () => {
  const w = await world()
  await hours(w, 60, false)
  await w.table.tend(w.clock.nowMs(), 1_000 * HOUR_MS)
  w.store.objects.delete('t/_delta_log/_last_checkpoint')
  await hours(w, 15)
  const hint = JSON.parse(
    new TextDecoder().decode(w.store.objects.get('t/_delta_log/_last_checkpoint')!.bytes),
  )
  expect(w.store.objects.has(checkpointKey(hint.version))).toBe(true)
})

test('what upkeep would remove is what it removes', async () => {
  const w = await world()
  // With upkeep, which writes the checkpoints that the last one goes back to.
  await hours(w, 45)
  await hours(w, 15, false)
  const before = [...w.store.objects.keys()]
  const removable = await w.open().removable(w.clock.nowMs(), RETENTION_MS)
  expect([...w.store.objects.keys()]).toEqual(before)
  await w.table.tend(w.clock.nowMs(), RETENTION_MS)
  const gone = before.filter((key) => !w.store.objects.has(key))
  expect(removable.map(({ key }) => key).sort()).toEqual(gone.sort())
  for (const kind of ['.json', '.parquet']) expect(gone.some((key) => key.endsWith(kind))).toBe(true)
})

test('a version whose files were removed is gone, whatever the log still says of it, and the oldest kept is named', async () => {
  const w = await world()
  const made = await hours(w, 100)
  const [reader, gone, kept] = [w.open(), await w.open().at(85), await w.open().at(90)]
  const [file] = gone.files.values()
  const error = await reader.readFile(file!).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'E_FILE_DAMAGED' })
  expect(await reader.goneOr(error, gone.version)).toMatchObject({
    code: 'E_VERSION_GONE',
    message: `t does not hold the rows of version 85: the oldest is 90, of ${new Date(made[89]!.timeMs).toISOString()}, the newest 100`,
  })
  expect(await reader.goneOr(error, kept.version)).toBe(error)
  for (const version of [-1, 101, 1.5])
    await expect(reader.at(version)).rejects.toThrow(`version ${version}: the oldest is 90, of `)
})

test('versions without rows are not named as kept, unless there are no others', async () => {
  const w = await world()
  await expect(w.open().at(7)).rejects.toThrow('the oldest is 0, of ')
  await append(w.table, {})
  await expect(w.open().at(7)).rejects.toThrow('the oldest is 1, of ')
})
