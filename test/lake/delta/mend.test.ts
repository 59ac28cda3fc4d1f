import { expect, test } from 'vitest'
import { openTable } from '../../../lake/delta/table.ts'
import { simRandom } from '../../sim/random.ts'
import { append, checkpointKey, commitKey, HOUR_MS, schema, seen, world } from './fixture.ts'

/** A table of versions 0 to 5, and the writer that knows them, whose words are kept. */
async function five() {
  const w = await world()
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)
  const writer = openTable('t', { ...w, random: simRandom(9), logLine })
  for (let i = 0; i < 5; i++) await append(writer)
  const tend = () => writer.tend(w.clock.nowMs(), 24 * HOUR_MS)
  return { ...w, writer, tend, lines }
}

test.each([1, 3, 5])(
  'commit %i, deleted while a writer is at work, is made good by a checkpoint',
  async (lost) => {
    const { store, writer, tend, lines, open } = await five()
    const before = seen(await writer.snapshot())
    await store.delete(commitKey(lost))
    await tend()
    expect(lines).toEqual([
      `lake: ${commitKey(lost)} was lost; ${checkpointKey(5)} now holds what it said, so that nothing of the table is: look at the disk`,
    ])
    expect(seen(await open().snapshot())).toEqual(before)
    await append(writer)
    await tend()
    expect([lines.length, seen(await open().snapshot())]).toEqual([1, seen(await writer.snapshot())])
  },
)

test.each([1, 5])('commit %i, altered while a writer is at work, is made good likewise', async (altered) => {
  const { store, writer, tend, lines, open, clock } = await five()
  const before = seen(await writer.snapshot())
  await tend()
  const { bytes } = store.objects.get(commitKey(altered))!
  const text = new TextDecoder().decode(bytes)
  // Of the same length, as only its time of change shows.
  await clock.advance(1_000)
  const other = text.replace('"hours":"10"', '"hours":"11"')
  expect(other).not.toBe(text)
  await store.put(commitKey(altered), new TextEncoder().encode(other))
  await tend()
  expect(lines).toEqual([expect.stringContaining(`lake: ${commitKey(altered)} was altered; `)])
  expect(seen(await open().snapshot())).toEqual(before)
  await tend()
  expect(lines).toHaveLength(1)
})

test('one that gets longer is seen at once, and one that is only written again is none', async () => {
  const { store, writer, tend, lines, open, clock } = await five()
  const bytes = store.objects.get(commitKey(3))!.bytes
  await tend()
  await clock.advance(1_000)
  await store.put(commitKey(3), bytes)
  await tend()
  expect(lines).toEqual([])
  const before = seen(await writer.snapshot())
  const other = open()
  await other.snapshot()
  await store.put(commitKey(4), Buffer.concat([bytes, Buffer.from('\n{"txn":{"appId":"x","version":1}}\n')]))
  await other.tend(clock.nowMs(), 24 * HOUR_MS)
  expect(seen(await open().snapshot())).toEqual(before)
})

test('so is one that is lost between two commits, and one that is empty', async () => {
  const { store, writer, tend, lines, open } = await five()
  await store.delete(commitKey(5))
  await append(writer)
  store.objects.set(commitKey(2), { bytes: new Uint8Array(), modifiedMs: 0 })
  await expect(open().snapshot()).rejects.toMatchObject({ code: 'E_TABLE_DAMAGED' })
  await tend()
  expect(lines).toHaveLength(1)
  expect(seen(await open().snapshot())).toEqual(seen(await writer.snapshot()))
})

test('what a list does not show, and what was cleaned up, is not lost', async () => {
  const { store, writer, tend, lines, clock, open } = await five()
  const list = store.list.bind(store)
  store.list = async (prefix, after) => (await list(prefix, after)).filter(({ key }) => key !== commitKey(4))
  await tend()
  store.list = list
  const other = open()
  await clock.advance(48 * HOUR_MS)
  await append(other)
  await other.tend(clock.nowMs(), HOUR_MS, { checkpoint: true })
  await clock.advance(48 * HOUR_MS)
  await append(other)
  await other.tend(clock.nowMs(), HOUR_MS)
  expect(store.objects.has(commitKey(3))).toBe(false)
  await tend()
  expect(lines).toEqual([])
  expect(seen(await writer.snapshot())).toEqual(seen(await other.snapshot()))
})

test('who knew a higher version follows a table that was begun anew in its place', async () => {
  const { store, open, lines, tend, clock } = await five()
  await tend()
  const reader = open()
  await reader.snapshot()
  await clock.advance(1_000)
  for (const key of [...store.objects.keys()]) if (key.startsWith('t/_delta_log/')) store.objects.delete(key)
  expect((await reader.snapshot())?.version).toBe(5)
  const other = open()
  await other.create(schema, { color: 'red' })
  await append(other)
  expect(seen(await reader.snapshot())).toEqual(seen(await other.snapshot()))
  for (let i = 0; i < 6; i++) await append(other)
  expect(seen(await reader.snapshot())).toEqual(seen(await other.snapshot()))
  await tend()
  expect([lines, (await open().snapshot())?.version]).toEqual([[], 7])
})

test('so does who looks only when that has more versions', async () => {
  const { store, open, clock } = await five()
  const reader = open()
  await reader.snapshot()
  for (const key of [...store.objects.keys()]) if (key.startsWith('t/_delta_log/')) store.objects.delete(key)
  await clock.advance(1_000)
  const other = open()
  await other.create(schema, { color: 'red and blue' })
  for (let i = 0; i < 8; i++) await append(other, { operation: 'ANOTHER' })
  expect(seen(await reader.snapshot())).toEqual(seen(await other.snapshot()))
  await append(other)
  expect(seen(await reader.snapshot())).toEqual(seen(await other.snapshot()))
})

/** Begins another table in the place of the one that `w` holds, with `commits` of its own. */
async function beginAnew({ store, open, clock }: Awaited<ReturnType<typeof five>>, commits: number) {
  for (const key of [...store.objects.keys()]) if (key.startsWith('t/_delta_log/')) store.objects.delete(key)
  await clock.advance(HOUR_MS)
  const other = open()
  await other.create(schema, { color: 'a long one' })
  for (let i = 0; i < commits; i++) await append(other, { operation: 'ANOTHER' })
  return other
}

test('a table that is begun anew twice is followed twice, with its own times', async () => {
  const w = await five()
  const reader = w.open()
  await reader.snapshot()
  for (const commits of [7, 7, 9]) {
    await reader.versionAt(w.clock.nowMs() - 1).catch(() => null)
    const other = await beginAnew(w, commits)
    const snapshot = await other.snapshot()
    expect(seen(await reader.snapshot())).toEqual(seen(snapshot))
    expect(await reader.versionAt(snapshot!.timeMs - 1)).toBe(commits - 1)
  }
})

test('what was made on top of a table that is no more does not go into the one in its place', async () => {
  const w = await five()
  const base = (await w.writer.snapshot())!
  for (const commits of [2, 7]) {
    await beginAnew(w, commits)
    await expect(append(w.writer, {}, base)).rejects.toMatchObject({ code: 'E_CONFLICT' })
  }
  await append(w.writer)
  expect((await w.open().snapshot())?.version).toBe(8)
})

test.each(['{"add":', '\n'])('who knew the newest commit before it was altered goes on: %j', async (more) => {
  const { store, writer, open } = await five()
  const reader = open()
  await reader.snapshot()
  const { bytes } = store.objects.get(commitKey(5))!
  await store.put(commitKey(5), Buffer.concat([bytes, Buffer.from(more)]))
  await append(writer)
  expect(seen(await reader.snapshot())).toEqual(seen(await writer.snapshot()))
  await append(reader)
  expect((await writer.snapshot())?.version).toBe(7)
})

test('whose last commit alone is gone goes on with what it knows', async () => {
  const { store, writer } = await five()
  await store.delete(commitKey(5))
  expect((await writer.snapshot())?.version).toBe(5)
})
