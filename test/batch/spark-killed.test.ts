import { expect, test } from 'vitest'
import type { DescribeBytes } from '../../batch/engines/described.ts'
import type { OpenEngine } from '../../batch/engines/engine.ts'
import { openReference } from '../../batch/engines/reference.ts'
import { type SparkSubmit, sparkEngine } from '../../batch/engines/spark.ts'
import { bucketPlace } from '../../batch/engines/spark-place.ts'
import type { DatePlan } from '../../batch/plan.ts'
import { decodeCells, describeCells } from '../../lake/parquet/cells.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'
import { batchRig, gateIn } from './rig.ts'

const NOON_MS = Date.UTC(2026, 10, 22, 9)
const OLD_MS = 7_200_000

/** How far the cluster is with a job. */
type Step = 'submitted' | 'one file written' | 'all files written' | 'ended'

/**
 * Runs on a cluster that does what a job says, into the scratch in the lake's bucket, with the reference's cells. `reached` is told of each
 * step; what it returns is waited for, and a process that was killed waits for ever.
 */
function onCluster(rig: Rig, seed: number, reached: (step: Step) => Promise<void> | void): OpenEngine {
  const access = {
    ...{ endpoint: null, region: 'eu-north-1', pathStyle: false },
    credentials: { accessKey: 'key', secretKey: 'secret', sessionToken: null, expiresMs: null },
  }
  const store = Object.assign(rig.store, { url: (key: string) => `s3://bucket/lake/${key}` })
  const place = bucketPlace(store, async () => access, { clock: rig.clock, oldMs: OLD_MS })
  return async (tables) => {
    const asked: { date: DatePlan; upTo: { readonly [partition: number]: number } }[] = []
    const reference = await openReference(tables)
    const spark: SparkSubmit = {
      async submit(args, _, signal) {
        const folder = /spark-jobs\/(\w+)\/job\.sql$/.exec(args.at(-1)!)![1]
        await reached('submitted')
        for (const [i, { date, upTo }] of asked.splice(0).entries()) {
          const file = (await reference.compute(date, upTo, signal))!
          await store.put(`_scratch/${folder}/${i}/part-0.parquet`, file.bytes)
          if (i === 0) await reached('one file written')
          await store.put(`_scratch/${folder}/${i}/_SUCCESS`, new Uint8Array())
        }
        await reached('all files written')
        return { code: 0, said: '' }
      },
      async removeFolder() {},
    }
    const config = { master: 'spark://master:7077', limitMs: OLD_MS / 2, jars: '', scratchDir: '/scratch' }
    const describe: DescribeBytes = async (view, bytes, date) =>
      describeCells(await decodeCells(view, bytes), { date })
    const deps = {
      spark,
      place,
      describe,
      disk: new SimDisk(seed),
      clock: rig.clock,
      random: simRandom(seed),
    }
    const engine = await sparkEngine(config, deps)(tables)
    return {
      dates: engine.dates,
      verifies: true,
      async compute(date, upTo, signal) {
        asked.push({ date, upTo })
        const computing = engine.compute(date, upTo, signal)
        await rig.clock.advance(1_000)
        const made = await computing
        await reached('ended')
        return made
      },
      close: () => engine.close(),
    }
  }
}

type Rig = Awaited<ReturnType<typeof batchRig>>

const published = (rig: Rig) => Promise.all([rig.published(), rig.published(rig.views.byHost)])

/** A lake with a message on each of three dates, of which the two older are published. */
async function begunRig() {
  const rig = await batchRig()
  for (const days of [1, 2]) await rig.send(NOON_MS - days * DAY_MS)
  await rig.batch.run({ full: false })
  await rig.send(NOON_MS)
  return rig
}

async function expectNextRunGoesOn(rig: Rig, before: Awaited<ReturnType<typeof published>>) {
  expect(await published(rig)).toEqual(before)
  await rig.clock.advance(OLD_MS + 1)
  const next = await rig.batchOn(rig.tables(), { openEngine: onCluster(rig, 2, () => {}), isAlone: true })
  expect((await next.run({ full: true })).map(({ result }) => result)).toEqual(['published', 'published'])
  expect(await published(rig)).toMatchObject([
    { tidemark: 2, cells: 3 },
    { tidemark: 2, cells: 3 },
  ])
  expect([...rig.store.objects.keys()].filter((key) => key.startsWith('_scratch/'))).toEqual([])
  await next.close()
}

test.each(['submitted', 'one file written', 'all files written', 'ended'] as const)(
  'a run on Spark that is killed when its job is %s leaves nothing visible, and the next one goes on',
  async (step) => {
    await using rig = await begunRig()
    const before = await published(rig)
    const { promise: died, resolve: die } = Promise.withResolvers<void>()
    const openEngine = onCluster(rig, 1, (at) => {
      if (at !== step) return
      die()
      return new Promise(() => {})
    })
    const killed = await rig.batchOn(rig.tables(), { openEngine })
    killed.start({ full: true })
    await died
    await expectNextRunGoesOn(rig, before)
  },
)

test.each(['service_minute/date=', 'service_minute/_delta_log/'])(
  'a run on Spark that is killed before it writes %s leaves nothing visible, and the next one goes on',
  async (prefix) => {
    await using rig = await begunRig()
    const before = await published(rig)
    const gate = gateIn(rig.store, prefix)
    const killed = await rig.batchOn(rig.tables(), { openEngine: onCluster(rig, 1, () => {}) })
    killed.start({ full: true })
    await gate.reached
    rig.store.faults = null
    await expectNextRunGoesOn(rig, before)
  },
)
