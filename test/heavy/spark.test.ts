import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeByDuckdb } from '../../batch/engines/described.ts'
import { duckdbEngine } from '../../batch/engines/duckdb.ts'
import type { OpenEngine } from '../../batch/engines/engine.ts'
import { openReference } from '../../batch/engines/reference.ts'
import { sparkEngine } from '../../batch/engines/spark.ts'
import { folderPlace } from '../../batch/engines/spark-place.ts'
import type { DatePlan } from '../../batch/plan.ts'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import { sparkSubmit } from '../../cli/host/spark-submit.ts'
import type { DataFile, Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { decodeCells, describeCells, encodeCells } from '../../lake/parquet/cells.ts'
import { describeMessages, encodeMessages } from '../../lake/parquet/messages.ts'
import { localStore } from '../../lake/store/local.ts'
import { hourName } from '../../lake/tables/hours.ts'
import { noCells } from '../../schemas/cells.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Message, toColumns } from '../../schemas/message.ts'
import { defineView, type View } from '../../schemas/view.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { nastyMessages, scores } from '../schemas/nasty-messages.ts'
import { needs } from './needs.ts'
import { expectSameCells } from './same-cells.ts'
import { sparkHome, startCluster } from './spark-cluster.ts'

const home = sparkHome()
const DATE = '2026-11-22'
/** Data sets of one job, whose start takes most of its time. */
const SAMPLES = 3

describe.skipIf(!needs('pyspark', home !== null))('Spark', () => {
  let dir: string
  let cluster: Awaited<ReturnType<typeof startCluster>>
  let table: Table
  let viewTable: Table

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "tidemark-spark, 'it's {a}-"))
    const random = nodeRandom()
    const deps = { store: await localStore(nodeDisk(), dir, random), clock: nodeClock(), random }
    table = openTable('messages', deps)
    viewTable = openTable('view', deps)
    cluster = await startCluster(home!, dir)
  }, 150_000)
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  })

  const onSpark = (limitMs = 240_000) =>
    sparkEngine(
      { master: cluster.master, limitMs, jars: '', scratchDir: join(dir, 'scratch') },
      {
        spark: sparkSubmit(home!),
        describe: describeByDuckdb(join(dir, 'scratch'), nodeDisk()),
        place: folderPlace(join(dir, 'scratch/spark'), { disk: nodeDisk(), ...sparkSubmit(home!) }),
        disk: nodeDisk(),
        clock: nodeClock(),
        random: nodeRandom(),
      },
    )
  const scratchIsEmpty = async () => {
    for (const folder of ['spark', 'spark-jobs'])
      expect(await nodeDisk().list(join(dir, 'scratch', folder))).toEqual([])
  }

  async function write(dataset: Dataset, messages: readonly Message[], date: string): Promise<DataFile> {
    const rows = {
      columns: toColumns(dataset, messages),
      partition: Int32Array.from(messages, (_, i) => (i % 11 === 0 ? -1 : 0)),
      offset: Float64Array.from(messages, (_, i) => i % 20),
      index: Int32Array.from(messages, (_, i) => i),
    }
    return table.writeFile(encodeMessages(dataset, rows), describeMessages(rows, date))
  }

  /** The cells of every plan, all given to the engine at once. */
  async function cellsOf(open: OpenEngine, dataset: Dataset, view: View, dates: readonly DatePlan[]) {
    const engine = await open({ dataset, view, messages: table, viewTable })
    try {
      const signal = new AbortController().signal
      const compute = (date: DatePlan) => engine.compute(date, { 0: 12 }, signal)
      const files = engine.dates > 1 ? await Promise.all(dates.map(compute)) : await inTurn(dates, compute)
      return await Promise.all(
        files.map(async (file, i) => {
          const cells = file === null ? noCells(view) : await decodeCells(view, file.bytes)
          if (file !== null) expect(file.about).toEqual(describeCells(cells, { date: dates[i]!.date }))
          return cells
        }),
      )
    } finally {
      await engine.close()
    }
  }

  /** Plans over generated messages of two map tasks, whole and with hours carried from the file before. */
  async function nastyPlans(dataset: Dataset, view: View): Promise<DatePlan[]> {
    const plans: DatePlan[] = []
    const samples = fc.sample(fc.tuple(nastyMessages(dataset), nastyMessages(dataset)), {
      numRuns: SAMPLES,
      seed: 7,
    })
    for (const parts of samples) {
      const files = await Promise.all(
        parts.filter((part) => part.length > 0).map((part) => write(dataset, part, DATE)),
      )
      plans.push(
        planOf(
          DATE,
          files.map((file) => ({ files: [file] })),
        ),
      )
    }
    // Of a view whose files carry hours, years at the ends of the calendar too.
    const years =
      view.name === serviceMinute.name ? ['0001-01-01', '1582-10-10', '1969-12-31', '9999-12-31'] : []
    for (const date of years) {
      const names = Array.from({ length: dataset.keys.length + (dataset.source === null ? 0 : 1) }, () => 'ü')
      const messages = [0, 1, 59_999, 3_600_000, 86_399_999].map(
        (ms, i): Message => ({
          names,
          timeMs: Date.parse(date) + ms,
          gauges: [i, 2 ** i, 0.1],
          attributes: dataset.attributes.map(() => null),
          agent: null,
          seq: null,
        }),
      )
      plans.push(
        planOf(date, [
          {
            files: [
              await write(dataset, messages.slice(0, 3), date),
              await write(dataset, messages.slice(3), date),
            ],
          },
        ]),
      )
    }
    const before = await cellsOf(openReference, dataset, view, plans)
    const carried: DatePlan[] = []
    for (const [i, cells] of before.entries()) {
      const { date } = plans[i]!
      if (cells.length === 0 || view.bucketMs > 3_600_000) continue
      const base = await viewTable.writeFile(encodeCells(cells), describeCells(cells, { date }))
      carried.push({ ...plans[i]!, hours: plans[i]!.hours.slice(9, 10), base })
    }
    return [...plans, ...carried]
  }

  const cases: readonly (readonly [Dataset, View])[] = [
    [host, serviceMinute],
    [
      host,
      {
        ...hostMinute,
        measures: serviceMinute.measures,
        gauges: serviceMinute.gauges.map((one) => ({ ...one, scale: 0.1 })),
      },
    ],
    [
      scores,
      { ...defineView(scores, { name: 'score_day', key: ['group'], quantiles: true }), bucketMs: 86_400_000 },
    ],
  ]
  test.each(cases)('agrees with DuckDB and the reference on nasty data: %#', async (dataset, view) => {
    const plans = await nastyPlans(dataset, view)
    const want = await cellsOf(openReference, dataset, view, plans)
    const duck = await cellsOf(duckdbEngine(join(dir, 'duckdb'), nodeDisk()), dataset, view, plans)
    const got = await cellsOf(onSpark(), dataset, view, plans)
    expect(want.some((cells) => cells.length > 1)).toBe(true)
    for (const [i, cells] of got.entries()) {
      expectSameCells(cells, want[i]!)
      expectSameCells(cells, duck[i]!)
    }
    await scratchIsEmpty()
  })

  async function onePlan(): Promise<DatePlan> {
    const message: Message = {
      names: ['s', 'h'],
      timeMs: Date.parse(DATE),
      gauges: [1, 2, 3],
      agent: null,
      seq: null,
    }
    return planOf(DATE, [{ files: [await write(host, [message], DATE)] }])
  }

  test('a cancelled job leaves the cluster and no file', async () => {
    const engine = await onSpark()({ dataset: host, view: serviceMinute, messages: table, viewTable })
    const stop = new AbortController()
    const computing = engine.compute(await onePlan(), { 0: 12 }, stop.signal)
    const refused = expect(computing).rejects.toThrow('no more')
    await cluster.until(({ activeapps }) => activeapps.length === 1)
    stop.abort(new Error('no more'))
    await refused
    await engine.close()
    await cluster.until(({ activeapps }) => activeapps.length === 0)
    await scratchIsEmpty()
  })

  test('a job beyond its time limit fails and says so', async () => {
    const run = cellsOf(onSpark(1_000), host, serviceMinute, [await onePlan()])
    await expect(run).rejects.toMatchObject({
      code: 'E_ENGINE',
      message: 'spark: the job took longer than 1 s',
    })
    await scratchIsEmpty()
  })

  test.each(['damaged', 'missing'])('a %s file of messages ends the job, which says so', async (how) => {
    const plan = await onePlan()
    const path = await table.localPath(plan.maps[0]!.files[0]!)
    const open = onSpark()
    const engine = await open({ dataset: host, view: serviceMinute, messages: table, viewTable })
    const bytes = await readFile(path)
    await rm(path)
    // What Parquet itself has no way to notice.
    if (how === 'damaged') await writeFile(path, bytes.with(bytes.length - 9, bytes.at(-9)! ^ 1))
    const computing = engine.compute(plan, { 0: 12 }, new AbortController().signal)
    await expect(computing).rejects.toMatchObject({
      code: 'E_FILE_DAMAGED',
      message: expect.stringMatching(how === 'damaged' ? /^spark: .*damaged or missing/ : /PATH_NOT_FOUND/),
    })
    await engine.close()
  })

  test('a job goes on when a worker is killed', async () => {
    const computing = cellsOf(onSpark(), host, serviceMinute, [await onePlan()])
    await cluster.until(({ activeapps }) => activeapps.length === 1)
    cluster.workers[1]!.kill('SIGKILL')
    expect((await computing)[0]!.length).toBe(1)
  })
})

function planOf(date: string, maps: DatePlan['maps']): DatePlan {
  const hours = Array.from({ length: 24 }, (_, hour) => hourName(Date.parse(date) + hour * 3_600_000))
  return { date, hours, maps, base: null, frozen: [] }
}

async function inTurn<A, B>(all: readonly A[], what: (one: A) => Promise<B>): Promise<B[]> {
  const made: B[] = []
  for (const one of all) made.push(await what(one))
  return made
}
