import { cp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DAY_MS } from '../../schemas/time.ts'
import { type Running, startUp } from '../../test/heavy/up.ts'
import { hashOfCells } from '../lake/cells.ts'
import { type History, hostName, messagesOf, serviceName } from '../lake/history.ts'
import { writeHistoryCells } from '../lake/history-cells.ts'
import { makeLake, sendAll, withBegunData } from '../lake/made.ts'
import { usageOf } from '../process.ts'
import { runBatch } from '../recompute/command.ts'
import { publishedIn } from '../recompute/rounds.ts'
import { UNSCHEDULED } from '../runs.ts'
import {
  type Ask,
  bare,
  type KindMeasured,
  measureKind,
  startClient,
  startFloor,
  storeAnswers,
  stored,
  type Throughput,
} from './answers.ts'
import { type Arrived, whileSending } from './beside.ts'
import { kindText } from './kind-text.ts'
import { askWhilePublished, type WhilePublished } from './publish.ts'
import { type Kind, questionsOf } from './questions.ts'

/**
 * Serving: a whole `tidemark up` over made history, one message a cell, asked over HTTP. Its floors are a bare route with the same
 * bytes, and one that reads them from SQLite.
 */
const MINUTES = 1_440
const CONNECTIONS = 8
/** An index that takes longer to make has failed. */
const WHOLE_MS_MAX = 600_000
/** Nothing but the machine bounds how often it is asked. */
const UP = ['--agent-enabled', 'false', '--serving-requests-max', '1000000000', ...UNSCHEDULED]

export interface Size {
  readonly services: number
  readonly days: number
  /** The cells are written as a run would have written them, instead of messages for a run: tens of millions are there in minutes. */
  readonly straight: boolean
  /** Questions of each kind. */
  readonly each: number
  /** For so long 8 connections ask, and beside messages each kind is asked. */
  readonly seconds: number
  /** Messages a second that arrive while all kinds are asked once more; 0 for none. */
  readonly rate: number
}

export interface Serving {
  readonly size: Size
  readonly cells: number
  readonly kinds: readonly KindMeasured[]
  readonly throughput: { readonly up: Throughput; readonly bare: Throughput; readonly stored: Throughput }
  /** From the start of `up` to an answer over all, with the index there and without. */
  readonly startMs: { readonly there: number; readonly anew: number }
  /** Of the index made anew, while `up` was up and when it had stopped, and stopped after another version had replaced its cells. */
  readonly indexBytes: { readonly up: number; readonly anew: number; readonly replaced: number }
  readonly published: WhilePublished
  /** The same questions while messages arrive; null where none do. */
  readonly beside: { readonly arrived: Arrived; readonly kinds: readonly KindMeasured[] } | null
  readonly residentMib: { readonly started: number; readonly peak: number }
  /** Of the cells, and of the figures in answers of `stats`. */
  readonly hashes: { readonly [name: string]: string }
}

/** It takes minutes: `logLine` gets a line for each part that is done. */
export async function benchServing(size: Size, logLine: (line: string) => void): Promise<Serving> {
  const { services, days } = size
  // Up to the last midnight, for that is what an index holds.
  const startMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - days * DAY_MS
  const history = { services, hosts: services, days, messagesADay: services * MINUTES, startMs }
  const begunMs = size.straight ? startMs - DAY_MS : startMs
  return await withBegunData(begunMs, async (dir, begun, db) => {
    const data = join(dir, 'data')
    const lake = await makeHistory(db, begun, data, history, size.straight)
    logLine('the history is made')
    await removeIndex(data)
    const anew = await startToAnswer(data, history)
    const upBytes = await indexBytes(data)
    await anew.up.end('SIGTERM')
    const anewBytes = await indexBytes(data)
    const there = await startToAnswer(data, history)
    logLine('the index is made')
    const { residentMib } = await usageOf(there.up.child.pid!)
    let measured: Awaited<ReturnType<typeof measure>>
    let peakMib: number
    try {
      measured = await measure(there.up, history, size, join(dir, 'answers.db'), logLine)
      ;({ peakMib } = await usageOf(there.up.child.pid!))
    } finally {
      await there.up.end('SIGTERM')
    }
    const { hash, ...rest } = measured
    const cells = await cellsIn(db, lake, size.straight ? null : startMs)
    return {
      size,
      ...rest,
      cells: cells.count,
      startMs: { there: there.ms, anew: anew.ms },
      indexBytes: { up: upBytes, anew: anewBytes, replaced: await indexBytes(data) },
      residentMib: { started: residentMib, peak: peakMib },
      hashes: { ...cells.hashes, stats: hash },
    }
  })
}

/** A data directory whose views hold the cells of a history. Returns its lake. */
async function makeHistory(
  db: DuckDBConnection,
  begun: string,
  data: string,
  history: History,
  straight: boolean,
): Promise<string> {
  if (!straight) {
    const lake = await makeLake(db, begun, data, history)
    await runBatch(data, { full: true })
    return lake
  }
  await cp(begun, data, { recursive: true })
  const lake = join(data, 'lake')
  await writeHistoryCells(db, lake, history)
  return lake
}

/** How many cells a lake has and, where it is said from when they are, a hash of each view's. */
async function cellsIn(db: DuckDBConnection, lake: string, startMs: number | null) {
  let count = 0
  const hashes: { [view: string]: string } = {}
  for (const { view, table, columns } of await publishedIn(lake)) {
    count += table.files.reduce((sum, { rows }) => sum + rows, 0)
    if (startMs === null) continue
    const paths = table.files.map(({ path }) => path)
    hashes[view.name] = await hashOfCells(db, paths, columns, startMs)
  }
  return { count, hashes }
}

async function measure(
  up: Running,
  history: History,
  size: Size,
  answersPath: string,
  logLine: (line: string) => void,
) {
  const questions = questionsOf(history, size.each)
  const { bytes, hash } = await storeAnswers(up.serving, questions, answersPath)
  using floor = await startFloor(answersPath)
  using client = await startClient()
  const measureAll = async (seconds?: number) => {
    const kinds: KindMeasured[] = []
    for (const kind of questions) {
      const measured = await measureKind(
        client.ask,
        kind,
        up.serving,
        floor.port,
        bytes.get(kind.name),
        seconds,
      )
      kinds.push(measured)
      logLine(kindText(measured))
    }
    return kinds
  }
  const kinds = await measureAll()
  const [hour, day] = questions as [Kind, Kind]
  const servingPort = Number(new URL(up.serving).port)
  const throughput = {
    bare: await throughputOf(client.ask, floor.pid, floor.port, bare(hour).paths, size.seconds),
    stored: await throughputOf(client.ask, floor.pid, floor.port, stored(hour).paths, size.seconds),
    up: await throughputOf(client.ask, up.child.pid!, servingPort, hour.paths, size.seconds),
  }
  if (size.straight) await sendMinute(up, history)
  const published = await askWhilePublished(up.serving, day.paths, { full: !size.straight })
  logLine('a version was published beside questions')
  if (size.rate === 0) return { kinds, hash, throughput, published, beside: null }
  const { done, arrived } = await whileSending(up.collector.port, size.rate, () => measureAll(size.seconds))
  return { kinds, hash, throughput, published, beside: { arrived, kinds: done } }
}

/** A message of each service after the history, so that a run has something to compute and one more date to publish. */
async function sendMinute({ collector }: Running, { services, startMs, days }: History): Promise<void> {
  const time_stamp = startMs + days * DAY_MS
  const messages = Array.from({ length: services }, (_, n) => {
    return { service: serviceName(n), host: hostName(n), time_stamp, cpu: n % 101, ram: 2, disk: 3 }
  })
  await sendAll(collector.port, messages)
}

async function throughputOf(
  ask: Ask,
  pid: number,
  port: number,
  paths: readonly string[],
  seconds: number,
): Promise<Throughput> {
  const before = await usageOf(pid)
  const asked = await ask({ port, paths, connections: CONNECTIONS, seconds })
  const { cpuSeconds } = await usageOf(pid)
  return {
    perSecond: asked.answers / asked.seconds,
    cores: (cpuSeconds - before.cpuSeconds) / asked.seconds,
  }
}

/** Starts `up` and asks for everything of its last service until the answer holds it. */
async function startToAnswer(data: string, history: History): Promise<{ up: Running; ms: number }> {
  const { services, days, startMs } = history
  const beforeMs = performance.now()
  const up = await startUp(data, UP)
  const range = `from=${startMs}&to=${startMs + days * DAY_MS}`
  const wanted = messagesOf(history) / services
  for (;;) {
    if (performance.now() - beforeMs > WHOLE_MS_MAX) throw new Error('no answer held the whole history')
    const answer = await fetch(`${up.serving}/v1/services/${serviceName(services - 1)}/stats?${range}`)
    if (answer.ok && ((await answer.json()) as { messages: number }).messages >= wanted) break
    await wait(10)
  }
  return { up, ms: performance.now() - beforeMs }
}

/** The index is what lies under that name, with the logs beside it. */
async function indexFiles(data: string): Promise<string[]> {
  return (await readdir(data)).filter((name) => name.startsWith('index')).map((name) => join(data, name))
}

async function indexBytes(data: string): Promise<number> {
  const files = await Promise.all((await indexFiles(data)).map((path) => stat(path)))
  return files.reduce((sum, { size }) => sum + size, 0)
}

async function removeIndex(data: string): Promise<void> {
  for (const path of await indexFiles(data)) await rm(path)
}
