import { expect, test } from 'vitest'
import type { Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { lakeTables } from '../../lake/tables/deployment.ts'
import { setAsideDamaged } from '../../lake/tables/made-anew.ts'
import { viewSchema } from '../../lake/tables/published.ts'
import { host } from '../../schemas/datasets/host.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'

const START_MS = Date.UTC(2026, 10, 22)
const commitKey = (table: string, version: number) =>
  `${table}/_delta_log/${String(version).padStart(20, '0')}.json`

/** A lake in which every table, or the one that is named, has 7 versions, and a checkpoint of the version 3. */
async function rig(only?: string) {
  const clock = new SimClock(START_MS)
  const store = new MemoryStore(clock)
  const lines: string[] = []
  const tables = () =>
    lakeTables({ datasets: [host], views: [serviceMinute] }, (name) =>
      openTable(name, { store, clock, random: simRandom(1) }),
    )
  const grow = async (table: Table) => {
    for (let i = 1; i <= 6; i++) {
      const base = (await table.snapshot()) ?? (await table.create(viewSchema(serviceMinute), {}))
      await table.commit(base, { operation: 'TEST', dataChange: false })
      if (i === 3) await table.tend(clock.nowMs(), DAY_MS, { checkpoint: true })
    }
  }
  const { datasets, runs } = tables()
  const { messages, views } = datasets[0]!
  for (const table of [messages, views[0]!.published, views[0]!.ticks, views[0]!.frozen, runs])
    if (only === undefined || only === table.name) await grow(table)
  const setAside = () =>
    setAsideDamaged(tables(), store, { nowMs: clock.nowMs(), logLine: (line) => void lines.push(line) })
  return { store, tables, lines, setAside }
}

test('a whole lake stays as it is', async () => {
  const { store, lines, setAside } = await rig()
  const before = [...store.objects.keys()]
  expect(await setAside()).toEqual([])
  expect([[...store.objects.keys()], lines]).toEqual([before, []])
})

test.for(['service_minute', 'service_minute_ticks', 'runs'])(
  'with a damaged commit %s begins anew, and its log is kept',
  async (name) => {
    const { store, tables, lines, setAside } = await rig()
    store.objects.set(commitKey(name, 5), { bytes: new TextEncoder().encode('{"add":'), modifiedMs: 0 })
    const log = [...store.objects.keys()].filter((key) => key.startsWith(`${name}/_delta_log/`))
    expect(await setAside()).toEqual([name])
    expect(lines).toEqual([expect.stringMatching(`${name} begins anew.*${commitKey(name, 5)}, line 1`)])
    const kept = [...store.objects.keys()].filter((key) => key.startsWith('_damaged/'))
    expect(kept).toHaveLength(log.length)
    const { datasets, runs } = tables()
    const of = [datasets[0]!.views[0]!.published, datasets[0]!.views[0]!.ticks, runs]
    for (const table of of)
      expect((await table.snapshot())?.version ?? null).toBe(table.name === name ? null : 6)
  },
)

test.for(['messages', 'service_minute_frozen'])('%s cannot be made anew and stay', async (name) => {
  const { store, setAside } = await rig()
  store.objects.delete(commitKey(name, 5))
  expect(await setAside()).toEqual([])
  expect(store.objects.has(commitKey(name, 4))).toBe(true)
})

test('a process that dies at any call leaves no older version, and the next finishes', async () => {
  for (let dieAt = 1; ; dieAt++) {
    const { store, tables, setAside } = await rig('service_minute')
    store.objects.delete(commitKey('service_minute', 5))
    let calls = 0
    store.faults = ({ when }) => {
      if (when === 'before' && ++calls >= dieAt) throw new TidemarkError('E_STORE', 'dead')
    }
    const finished = await setAside().then(
      () => true,
      () => false,
    )
    store.faults = null
    const view = () => tables().datasets[0]!.views[0]!.published.snapshot()
    const left = await view().catch((error) => error.code)
    expect([null, 'E_TABLE_DAMAGED']).toContain(left)
    await setAside()
    expect(await view()).toBe(null)
    if (finished) break
  }
})
