import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sparkHome, startCluster } from '../../test/heavy/spark-cluster.ts'
import { hashOfCells } from '../lake/cells.ts'
import { type History, messagesOf } from '../lake/history.ts'
import { makeLake, withBegunData } from '../lake/made.ts'
import { newestRun } from '../recompute/command.ts'
import { publishedIn } from '../recompute/rounds.ts'
import { cpuWithChildren, type Taken, take } from './command.ts'
import { hashOfLines, mrjobPython, runMrjob, writeLines } from './mrjob.ts'

/**
 * One history computed by each engine in turn, from the start of a process to its end: DuckDB; Spark on a cluster of a master and two
 * workers; and a job of mrjob, which does less, one view and no sketches. All must give the same cells. What a message
 * takes is told apart from the start by histories of two sizes.
 */
export const ENGINES = ['duckdb', 'spark', 'mrjob'] as const
export type EngineName = (typeof ENGINES)[number]

export interface EnginesSize {
  readonly engines: readonly EngineName[]
  /** Messages of each history, the smallest first. */
  readonly messages: readonly number[]
  readonly rounds: number
  /** Whether Spark runs on a cluster, or in threads of one process. */
  readonly hasCluster: boolean
}

/** What an engine took for a history, round by round. */
export interface Measured {
  readonly engine: EngineName
  readonly messages: number
  readonly taken: readonly Taken[]
}

export interface EnginesResult {
  readonly size: EnginesSize
  readonly measured: readonly Measured[]
  /** Of the cells of each view, equal for all engines, by number of messages. */
  readonly hashes: readonly { readonly [view: string]: string }[]
}

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const START_MS = Date.UTC(2025, 0, 1)
const DAYS = 4

function historyOf(messages: number): History {
  return {
    services: 20,
    hosts: 400,
    days: DAYS,
    messagesADay: Math.round(messages / DAYS),
    startMs: START_MS,
  }
}

/** `say` is told of each run as it ends: all together they take long. */
export async function benchEngines(size: EnginesSize, say: (line: string) => void): Promise<EnginesResult> {
  return await withBegunData(START_MS, async (dir, begun, db) => {
    const { engines, hasCluster } = size
    const wantsSpark = engines.includes('spark')
    await using cluster = wantsSpark && hasCluster ? await startCluster(homeOfSpark(), dir) : null
    if (engines.includes('mrjob') && mrjobPython === null) throw new Error('mrjob is not installed (.ci/run)')
    const measured: Measured[] = []
    const hashes: { [view: string]: string }[] = []
    for (const messages of size.messages) {
      const data = join(dir, String(messages))
      const history = historyOf(messages)
      const lake = await makeLake(db, begun, data, history)
      // The first run publishes it all; small files of messages are merged behind it.
      await runEngine(data, ['--engine', 'duckdb'])
      const mrjob = engines.includes('mrjob') ? await mrjobWay({ db, lake, data }) : null
      const ways: { readonly [engine in EngineName]: Way } = {
        duckdb: () => runEngine(data, ['--engine', 'duckdb']),
        spark: () => (cluster === null ? runSpark(data, 'local[2]') : runOnCluster(data, cluster)),
        mrjob: () => mrjob!(),
      }
      const taken = new Map(engines.map((engine) => [engine, [] as Taken[]]))
      const found: { [view: string]: string } = {}
      for (let round = 0; round < size.rounds; round++) {
        for (const engine of engines) {
          const done = await ways[engine]()
          taken.get(engine)!.push(done)
          const { wallMs, cpuSeconds } = done
          say(
            `${engine}, ${messages} messages: ${(wallMs / 1_000).toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s`,
          )
          const own = done.hash === undefined ? await hashesOf(db, lake) : { [WITHOUT_SKETCHES]: done.hash }
          expectSame(found, own, engine)
        }
      }
      hashes.push(found)
      // The one that began the lake is counted too.
      for (const [engine, each] of taken)
        measured.push({ engine, messages: messagesOf(history) + 1, taken: each })
    }
    return { size, measured, hashes }
  })
}

type Way = () => Promise<Taken & { readonly hash?: string }>
const WITHOUT_SKETCHES = 'service_minute without sketches'

function homeOfSpark(): string {
  const home = sparkHome()
  if (home === null) throw new Error('Spark is not installed (.ci/run)')
  return home
}

async function runEngine(data: string, flags: readonly string[]): Promise<Taken> {
  const taken = await take(process.execPath, [ENTRY, 'batch', '--once', '--full', '--data', data, ...flags])
  await newestRun(data)
  return taken
}

function runSpark(data: string, master: string): Promise<Taken> {
  return runEngine(data, ['--engine', 'spark', '--spark-master', master, '--spark-home', homeOfSpark()])
}

type Cluster = Awaited<ReturnType<typeof startCluster>>

async function runOnCluster(data: string, { master, workers, until }: Cluster): Promise<Taken> {
  const ofWorkers = async () =>
    (await Promise.all(workers.map(({ pid }) => cpuWithChildren(pid!)))).reduce((sum, one) => sum + one, 0)
  const before = await ofWorkers()
  const { wallMs, cpuSeconds } = await runSpark(data, master)
  // Executors count once they have ended.
  await until(({ activeapps }) => activeapps.length === 0)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return { wallMs, cpuSeconds: cpuSeconds + (await ofWorkers()) - before }
}

async function mrjobWay(place: { db: DuckDBConnection; lake: string; data: string }): Promise<Way> {
  const { db, lake, data } = place
  const lines = await writeLines(db, lake, `${data}-lines`)
  const columns = (await ofServices(lake)).columns.filter((name) => !name.endsWith('_sketch'))
  return async () => {
    const to = `${data}-cells.ndjson`
    const taken = await runMrjob(lines, to)
    return { ...taken, hash: await hashOfLines(db, to, columns, START_MS) }
  }
}

async function ofServices(lake: string) {
  return (await publishedIn(lake)).find(({ view }) => view.name === 'service_minute')!
}

async function hashesOf(db: DuckDBConnection, lake: string): Promise<{ [view: string]: string }> {
  const hashes: { [view: string]: string } = {}
  for (const { view, table, columns } of await publishedIn(lake)) {
    const paths = table.files.map(({ path }) => path)
    hashes[view.name] = await hashOfCells(db, paths, columns, START_MS)
    const plain = columns.filter((name) => !name.endsWith('_sketch'))
    if (view.name === 'service_minute')
      hashes[WITHOUT_SKETCHES] = await hashOfCells(db, paths, plain, START_MS)
  }
  return hashes
}

/** Throws when an engine has other cells than those before it. */
function expectSame(
  found: { [view: string]: string },
  own: { [view: string]: string },
  engine: string,
): void {
  for (const [view, hash] of Object.entries(own)) {
    if (found[view] !== undefined && found[view] !== hash)
      throw new Error(`${engine} has other cells of ${view}: ${hash}, not ${found[view]}`)
    found[view] = hash
  }
}
