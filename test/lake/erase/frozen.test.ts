import { expect, test } from 'vitest'
import { ERASED_SOURCE } from '../../../lake/erase/frozen.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { erasingRig } from './rig.ts'

const ANNA = { dataset: 'host', who: 'ann', where: { host: 'anna' }, fromMs: null, toMs: null } as const
const OLD_MS = Date.UTC(2026, 10, 10, 9)
const DAY_MS = 86_400_000

/** The last of the hosts has the greatest CPU; the messages of 10 November are expired. */
async function frozenRig(...blocks: readonly (readonly string[])[]) {
  const rig = await erasingRig()
  for (const [i, hosts] of blocks.entries()) await rig.send('web', hosts, OLD_MS + i * 60_000)
  await rig.send('web', ['bob'])
  await rig.run()
  await rig.expire(7)
  await rig.run()
  return rig
}

type Rig = Awaited<ReturnType<typeof erasingRig>>

async function receipt(rig: Rig) {
  const acts = (await rig.audit.list(0, Number.MAX_SAFE_INTEGER)).filter(({ what }) => what === 'erase')
  expect(acts).toHaveLength(1)
  return acts[0]!
}

/** Minutes of `service_minute` on 10 November: messages, total of CPU, who had the greatest. */
async function minutes(rig: Rig) {
  const [old] = await rig.cells()
  return old!.msg_num!.map((n, i) => [Number(n), old!.cpu![i], old!.max_cpu_host![i]])
}

// Of equal values, as those of RAM and disk are, the earliest is the greatest.
test('the name of an erased host leaves frozen cells: its own go, and those it was part of do not name it', async () => {
  await using rig = await frozenRig(['bob', 'anna'], ['anna', 'bob'])
  const what = { where: { host: 'anna' }, fromMs: null, toMs: null }
  expect(await rig.erasures.preview('host', what)).toEqual({ rows: 0, files: 0, frozen_cells: 4 })
  const { ended } = await rig.erasures.start({ ...ANNA, vacuum: true })
  expect(await ended).toMatchObject({ state: 'ended', rows: 0, frozen_cells: { removed: 2, unnamed: 2 } })
  expect(await rig.hosts()).toEqual({ bob: 3 })
  expect(await minutes(rig)).toEqual([
    [2, 3, ERASED_SOURCE],
    [2, 3, 'bob'],
  ])
  expect(await rig.whereIs('anna')).toEqual([expect.stringMatching(/^_audit\//)])
  expect(await receipt(rig)).toMatchObject({
    what: 'erase',
    rows: 0,
    about: { host: 'anna', frozen_cells_removed: 2, frozen_cells_unnamed: 2 },
    result: 'done; sums of expired messages may still count it: 2026-11-10',
  })
  const before = await rig.cells()
  await rig.run(true)
  expect(await rig.cells()).toEqual(before)
})

test('what names a cell by its key takes the whole cell, and no sum counts it', async () => {
  await using rig = await frozenRig(['bob', 'anna'])
  await rig.send('shop', ['anna'])
  const where = { service: 'web' }
  const { ended } = await rig.erasures.start({ ...ANNA, where, vacuum: true })
  expect(await ended).toMatchObject({ rows: 1, frozen_cells: { removed: 3, unnamed: 0 } })
  expect(await rig.hosts()).toEqual({ anna: 1 })
  expect(await rig.whereIs('bob')).toEqual([])
  expect(await receipt(rig)).toMatchObject({ result: 'done' })
})

test('only cells of the named times are changed', async () => {
  await using rig = await frozenRig(['bob', 'anna'], ['bob', 'anna'], ['bob', 'anna'])
  const times = { fromMs: OLD_MS + 61_500, toMs: OLD_MS + 120_000 }
  const { ended } = await rig.erasures.start({ ...ANNA, ...times, vacuum: false })
  // The second minute begins before the times: its cell cannot be divided, but its greatest value is of before.
  expect(await ended).toMatchObject({ frozen_cells: { removed: 1, unnamed: 0 } })
  expect((await minutes(rig)).map(([, , host]) => host)).toEqual(['anna', 'anna', 'anna'])
  const whole = { fromMs: OLD_MS + 60_000, toMs: OLD_MS + 120_000 }
  const next = await rig.erasures.start({ ...ANNA, ...whole, vacuum: false })
  expect(await next.ended).toMatchObject({ frozen_cells: { removed: 0, unnamed: 1 } })
  expect((await minutes(rig)).map(([, , host]) => host)).toEqual(['anna', ERASED_SOURCE, 'anna'])
  expect(await rig.hosts()).toEqual({ anna: 2, bob: 4 })
})

test('frozen cells of an expiry that was killed in the middle hold the name no longer than others', async () => {
  await using rig = await erasingRig()
  await rig.send('web', ['bob', 'anna'], OLD_MS)
  await rig.run()
  rig.store.faults = ({ what, key, when }) => {
    if (what === 'putIfAbsent' && key.startsWith('messages/_delta_log/') && when === 'before')
      throw new TidemarkError('E_STORE', 'the process ended')
  }
  await expect(rig.expire(7)).rejects.toThrow('the process ended')
  rig.store.faults = null
  const { ended } = await rig.erasures.start({ ...ANNA, vacuum: true })
  expect(await ended).toMatchObject({ state: 'ended', rows: 1, frozen_cells: { removed: 0, unnamed: 0 } })
  expect(await rig.whereIs('anna')).toEqual([expect.stringMatching(/^_audit\//)])
})

test('killed at any call, frozen cells are changed once, and counted once', async () => {
  let deaths = 0
  for (let at = 0; at < 1_000; at += 7 + Math.floor(at / 4)) {
    await using rig = await frozenRig(['bob', 'anna'])
    const isKilled = await rig.killedAt(
      at,
      async () => (await rig.erasures.start({ ...ANNA, vacuum: false })).ended,
    )
    await rig.restart()
    // Killed before it was kept, it is asked for again.
    const kept = (await rig.erasures.pending()).length > 0 || (await rig.hosts()).anna === undefined
    if (!kept) await (await rig.erasures.start({ ...ANNA, vacuum: false })).ended
    await rig.clock.advance(2 * DAY_MS)
    expect([at, await rig.erasures.pending()]).toEqual([at, []])
    expect([at, await rig.hosts()]).toEqual([at, { bob: 2 }])
    expect([at, await minutes(rig)]).toEqual([at, [[2, 3, ERASED_SOURCE]]])
    expect([at, await rig.whereIs('anna')]).toEqual([at, [expect.stringMatching(/^_audit\//)]])
    expect((await receipt(rig)).about).toMatchObject({
      frozen_cells_removed: 1,
      frozen_cells_unnamed: 1,
    })
    deaths += Number(isKilled)
    if (!isKilled) break
  }
  expect(deaths).toBeGreaterThan(5)
}, 60_000)
