import { expect, test } from 'vitest'
import type { Erasures } from '../../../lake/erase/erasures.ts'
import type { MemoryStore } from '../../../lake/store/memory.ts'
import type { ObjectStore } from '../../../lake/store/port.ts'
import { simRandom } from '../../sim/random.ts'
import { SimStore } from '../../sim/store.ts'
import { erasingRig } from './rig.ts'

const H = { dataset: 'host', who: 'ann', fromMs: null, toMs: null } as const

async function erase(erasures: Erasures, host: string, vacuum = false) {
  const { ended } = await erasures.start({ ...H, where: { host }, vacuum })
  return ended
}

test('what is erased is in no answer, no table and no byte but the receipt', async () => {
  await using rig = await erasingRig()
  await rig.send('web', ['anna', 'bob', 'anna'])
  await rig.run()
  // The log of a view that was set aside because it was damaged.
  await rig.store.put('_damaged/service_minute/then/0.json', Buffer.from('{"add":{"stats":"anna"'))
  await rig.send('web', ['anna', 'carl'])
  expect(
    await rig.erasures.preview('host', { where: { host: 'anna' }, fromMs: null, toMs: null }),
  ).toMatchObject({
    rows: 3,
  })
  expect(await erase(rig.erasures, 'anna', true)).toMatchObject({ state: 'ended', rows: 3, erased: true })
  expect(await rig.hosts()).toEqual({ bob: 1, carl: 1 })
  expect(await rig.whereIs('anna')).toEqual([expect.stringMatching(/^_audit\//)])
  expect(await rig.audit.list(0, Number.MAX_SAFE_INTEGER)).toMatchObject([
    { what: 'erase old versions', result: 'done' },
    { who: 'ann', what: 'erase', rows: 3, about: { host: 'anna' }, result: 'done' },
  ])
})

test('nothing is left that no list shows yet', async () => {
  for (let seed = 1; seed <= 4; seed++) {
    await using rig = await erasingRig((store, clock) => {
      const late = new SimStore(store, { clock, random: simRandom(seed) })
      late.trouble.staleListMs = 600_000
      return late
    })
    await rig.send('web', ['anna', 'bob', 'anna'])
    await rig.run()
    await rig.send('web', ['anna', 'carl'])
    expect(await erase(rig.erasures, 'anna', true)).toMatchObject({ state: 'ended', rows: 3, erased: true })
    expect(await rig.hosts()).toEqual({ bob: 1, carl: 1 })
    expect(await rig.whereIs('anna')).toEqual([expect.stringMatching(/^_audit\//)])
    // Nor the commits that tell of the files that are gone.
    const log = [...rig.store.objects.keys()].filter((key) => /^messages\/_delta_log\/\d/.test(key)).sort()
    expect(log[0]).toMatch(/checkpoint/)
  }
})

test('messages that come after it count', async () => {
  await using rig = await erasingRig()
  await rig.send('web', ['anna', 'bob'])
  await erase(rig.erasures, 'anna')
  await rig.send('web', ['anna'])
  await rig.run()
  expect(await rig.hosts()).toEqual({ bob: 1, anna: 1 })
})

test('old versions hold it until the retention is over, then nothing does', async () => {
  await using rig = await erasingRig()
  await rig.send('web', ['anna', 'bob'])
  await rig.run()
  const state = await erase(rig.erasures, 'anna')
  expect(state).toMatchObject({
    state: 'waiting',
    stage: 'old versions',
    erased: true,
    reason: expect.stringMatching(/until/),
  })
  expect((await rig.whereIs('anna')).length).toBeGreaterThan(2)
  await rig.clock.advance(26 * 3_600_000)
  expect(await rig.erasures.pending()).toEqual([])
  expect(await rig.whereIs('anna')).toEqual([expect.stringMatching(/^_audit\//)])
  expect(await rig.hosts()).toEqual({ bob: 1 })
})

test('only the named times go, and the run that follows equals one over everything', async () => {
  await using rig = await erasingRig()
  for (const hour of [3, 4, 30]) await rig.send('web', ['anna', 'bob'], Date.UTC(2026, 10, 21, hour))
  await rig.run()
  const { ended } = await rig.erasures.start({
    ...H,
    where: { host: 'anna', service: 'web' },
    fromMs: Date.UTC(2026, 10, 21, 4),
    toMs: Date.UTC(2026, 10, 23),
    vacuum: false,
  })
  expect(await ended).toMatchObject({ rows: 2 })
  const before = await rig.cells()
  expect(await rig.hosts()).toEqual({ anna: 1, bob: 3 })
  await rig.run(true)
  expect(await rig.cells()).toEqual(before)
})

test('killed at any call of the store, it is over after the next start', async () => {
  let calls = 0
  for (let at = 0; at < 1_000; at += 1 + Math.floor(at / 6)) {
    await using rig = await erasingRig()
    await rig.send('web', ['anna', 'bob', 'anna'])
    await rig.run()
    await rig.send('shop', ['anna', 'carl'])
    const isKilled = await rig.killedAt(at, () => erase(rig.erasures, 'anna'))
    await rig.restart()
    if ((await rig.hosts()).anna === 3 && (await rig.erasures.pending()).length === 0)
      await erase(rig.erasures, 'anna')
    await rig.clock.advance(40 * 3_600_000)
    expect([at, await rig.erasures.pending()]).toEqual([at, []])
    expect([at, await rig.hosts()]).toEqual([at, { bob: 1, carl: 1 }])
    expect([at, await rig.whereIs('anna')]).toEqual([at, [expect.stringMatching(/^_audit\//)]])
    calls += 1
    if (!isKilled) break
  }
  expect(calls).toBeGreaterThan(10)
}, 60_000)

test('killed beside a store whose lists show no receipt, each is written once', async () => {
  // Receipts come late.
  for (let at = 150; at < 1_000; at++) {
    await using rig = await erasingRig((store) => ({
      ...unlisted(store),
      list: async (prefix, after) => (prefix.startsWith('_audit/') ? [] : store.list(prefix, after)),
    }))
    await rig.send('web', ['anna', 'bob'])
    const isKilled = await rig.killedAt(at, () => erase(rig.erasures, 'anna'))
    await rig.restart()
    await rig.clock.advance(40 * 3_600_000)
    const acts = [...rig.store.objects]
      .filter(([key]) => key.startsWith('_audit/'))
      .map(([, { bytes }]) => JSON.parse(Buffer.from(bytes).toString()).what)
    const once = ['erase', 'erase old versions']
    expect([at, acts.sort()]).toEqual([at, (await rig.hosts()).anna === 1 ? [] : once])
    if (!isKilled) break
  }
}, 60_000)

/** The store as plain functions. */
const unlisted = (store: MemoryStore): Omit<ObjectStore, 'list'> => ({
  get: (key) => store.get(key),
  put: (key, bytes) => store.put(key, bytes),
  putIfAbsent: (key, bytes) => store.putIfAbsent(key, bytes),
  delete: (key) => store.delete(key),
})

test('a view that cannot be published keeps the erasure waiting, and says why', async () => {
  await using rig = await erasingRig()
  await rig.send('web', ['anna', 'bob'])
  await rig.run()
  rig.store.faults = ({ what, key, when }) => {
    if (when === 'before' && what === 'putIfAbsent' && key.startsWith('host_minute/date'))
      throw new Error('refused')
  }
  const state = await erase(rig.erasures, 'anna', true)
  expect(state).toMatchObject({ state: 'waiting', stage: 'views', rows: 1, erased: false })
  expect(state.reason).toMatch(/host_minute.*refused/)
  rig.store.faults = null
  expect(await rig.erasures.resume(state.erasure, { vacuum: true })).toMatchObject({
    state: 'ended',
    rows: 1,
  })
  expect(await rig.hosts()).toEqual({ bob: 1 })
})

test('what names nothing, or a column that is none, is refused', async () => {
  await using rig = await erasingRig()
  await expect(erase(rig.erasures, '')).resolves.toMatchObject({ rows: 0, state: 'ended' })
  const start = (where: { [name: string]: string }) => rig.erasures.start({ ...H, where, vacuum: false })
  await expect(start({})).rejects.toMatchObject({ code: 'E_USAGE', field: 'where' })
  await expect(start({ cpu: '1' })).rejects.toThrow(/cpu is no key or source/)
  await expect(rig.erasures.start({ ...H, dataset: 'x', where: {}, vacuum: false })).rejects.toThrow(
    /no dataset x/,
  )
})
