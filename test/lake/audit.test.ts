import { expect, test } from 'vitest'
import { ACTS_MAX, openAudit } from '../../lake/audit.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'

const START_MS = Date.UTC(2026, 10, 22, 10)
const ACT = { who: 'ann', what: 'erase', about: { host: 'h/1 "ü"' }, rows: 3, result: 'done' }

function rig() {
  const clock = new SimClock(START_MS)
  const store = new MemoryStore(clock)
  return { clock, store, audit: openAudit({ store, clock, random: simRandom(1) }) }
}

test('acts are listed newest first, from a time up to before another', async () => {
  const { clock, audit } = rig()
  for (const what of ['a', 'b', 'c']) {
    await audit.record({ ...ACT, what })
    await clock.advance(1_000)
  }
  const whats = async (from: number, to: number) =>
    (await audit.list(START_MS + from, START_MS + to)).map(({ what }) => what)
  expect(await whats(0, 10_000)).toEqual(['c', 'b', 'a'])
  expect(await whats(1_000, 2_000)).toEqual(['b'])
  expect((await audit.list(0, Number.MAX_SAFE_INTEGER)).at(-1)).toMatchObject({
    ...ACT,
    what: 'a',
    timeMs: START_MS,
  })
})

test('an act whose put got no answer is there once', async () => {
  const { store, audit } = rig()
  let calls = 0
  store.faults = ({ what, when }) => {
    if (what === 'putIfAbsent' && when === 'after' && calls++ === 0) throw new Error('no answer')
  }
  await audit.record(ACT)
  store.faults = null
  expect(await audit.list(0, Number.MAX_SAFE_INTEGER)).toMatchObject([ACT])
})

test('one that is damaged says so, and hides no other', async () => {
  const { clock, store, audit } = rig()
  await audit.record(ACT)
  const [key] = store.objects.keys()
  await clock.advance(1)
  await audit.record(ACT)
  await store.put(key!, new TextEncoder().encode('{"audit":1,'))
  const [sound, damaged] = await audit.list(0, Number.MAX_SAFE_INTEGER)
  expect(sound).toMatchObject(ACT)
  expect(damaged).toMatchObject({ result: `${key} cannot be read`, timeMs: START_MS })
})

test('a list is the newest acts of its range', async () => {
  const { clock, audit } = rig()
  for (let i = 0; i <= ACTS_MAX; i++) {
    await audit.record({ ...ACT, rows: i })
    await clock.advance(1)
  }
  const newest = await audit.list(0, Number.MAX_SAFE_INTEGER)
  expect([newest.length, newest[0]!.rows, newest.at(-1)!.rows]).toEqual([ACTS_MAX, ACTS_MAX, 1])
  expect((await audit.list(0, newest.at(-1)!.timeMs)).map(({ rows }) => rows)).toEqual([0])
})
