import { expect, test } from 'vitest'
import { joinDeployment, redefine, refuseDeployed, type Wanted } from '../../../cli/compose/deployment.ts'
import { readDeployment } from '../../../lake/deployment-log.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { withTables } from '../../../schemas/definitions.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'

const builtIn = { datasets: [host], views: [serviceMinute, hostMinute] }
const scores = { keys: ['group'], gauges: { math: { unit: 'points' } } }

/** What a process wants whose tidemark.toml holds `tables`. */
function wanted(tables: object = {}, log: Partial<Wanted['log']> = {}): Wanted {
  return {
    log: { topic: 'tidemark', partitions: null, ...log },
    builtIn,
    definitions: withTables(builtIn, tables),
  }
}

function start() {
  const clock = new SimClock(0)
  const deps = { store: new MemoryStore(clock), clock, random: simRandom(1) }
  const join = (want: Wanted) => joinDeployment(want, deps, async () => {})
  return { deps, join }
}

test('the first process begins the deployment, and others follow it without a configuration of their own', async () => {
  const { deps, join } = start()
  const first = await join(wanted({ datasets: { scores } }, { partitions: 3 }))
  const second = await join(wanted())
  expect(second).toEqual(first)
  expect(second.log).toEqual({ topic: 'tidemark', partitions: 3 })
  expect(second.definitions.views.map(({ name }) => name)).toEqual([
    'service_minute',
    'host_minute',
    'scores_minute',
  ])
  expect(await readDeployment(deps.store)).toEqual(first)
})

test('of many that begin at the same time one does', async () => {
  const { join } = start()
  const all = await Promise.all(
    [1, 2, 3, 4, 5].map((partitions) => join(wanted({}, { partitions })).catch(() => null)),
  )
  expect(all.filter((one) => one !== null)).toHaveLength(1)
})

test('what a process is configured with and the lake has otherwise is refused by name', async () => {
  const { join } = start()
  await join(wanted({ datasets: { scores } }, { partitions: 3 }))
  const refused = (want: Wanted) => join(want).catch((error: Error) => error.message)
  expect(await refused(wanted({}, { partitions: 4 }))).toBe(
    'log.partitions is 4 and the log of the lake has 3',
  )
  expect(await refused(wanted({}, { topic: 'other' }))).toBe(
    'log.url names the topic other and the lake is filled from tidemark',
  )
  const more = { ...scores, gauges: { math: { unit: 'points', max: 100 } } }
  expect(await refused(wanted({ datasets: { scores: more } }))).toBe(
    'dataset scores is configured here and is another in the lake',
  )
  const view = { dataset: 'host', key: ['service'], bucket: '1h' }
  expect(await refused(wanted({ views: { service_hour: view } }))).toBe(
    'view service_hour is configured here and is not in the lake',
  )
})

test('changed definitions take the place of those before, for all who start afterwards', async () => {
  const { deps, join } = start()
  await join(wanted())
  const view = { dataset: 'host', key: ['service'], bucket: '1h' }
  const want = wanted({ views: { service_hour: view } })
  expect(await redefine(want, deps)).toMatchObject({ number: 1 })
  expect(await redefine(want, deps)).toMatchObject({ number: 1 })
  expect((await join(want)).definitions.views.map(({ name }) => name)).toContain('service_hour')
  expect((await join(wanted())).number).toBe(1)
})

test('a lake that a deployment fills is refused to others, and one that is damaged names its object', async () => {
  const { deps, join } = start()
  await refuseDeployed(deps.store)
  await join(wanted())
  await expect(refuseDeployed(deps.store)).rejects.toThrow(/processes that share the log tidemark/)
  await deps.store.put('_deployment/00000000000000000000.json', new TextEncoder().encode('{}'))
  await expect(join(wanted())).rejects.toThrow(
    /_deployment\/00000000000000000000\.json of the lake cannot be read/,
  )
})
