import { watch } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import { openTable } from '../../lake/delta/table.ts'
import { decodeCells } from '../../lake/parquet/cells.ts'
import { decodeMessages } from '../../lake/parquet/messages.ts'
import { localStore } from '../../lake/store/local.ts'
import { coveredPosition } from '../../lake/tables/messages.ts'
import { ticksTable } from '../../lake/tables/ticks.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { WHOLE } from '../../schemas/cell-rows.ts'
import type { Cells } from '../../schemas/cells.ts'
import { host } from '../../schemas/datasets/host.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import { answerFields, answersOf } from '../../schemas/gauge-answer.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { hostColumns } from '../sim/messages.ts'
import { close, exactRows } from '../simulator/oracle.ts'
import { LoadSender, loadMessage } from './load.ts'
import { needs } from './needs.ts'
import { python, readWithDeltaRs } from './outside.ts'
import { type Running, runCommand, startUp } from './up.ts'

/**
 * 200,000 messages over 4 connections into a real process that is killed at least 10 times, at least twice each between
 * the files and the commit of a tick, a seal and a publish. Every acknowledged message is counted exactly once, by every way
 * of asking.
 */
const SENDERS = 4
const MESSAGES_EACH = 50_000
const KILLS_MIN = 10
const KILLS_MAX = 60
const HITS_EACH = 2
const UP = ['--speed-tick', '1s', '--batch-schedule', '*/2 * * * * *', '--agent-enabled', 'false']

const MESSAGES = messagesTable(host.name)
const TARGETS = { tick: ticksTable(serviceMinute), seal: MESSAGES, publish: serviceMinute.name } as const
type Target = keyof typeof TARGETS

const hasDeltaRs = needs('deltalake', python !== null)

test(`${SENDERS * MESSAGES_EACH} messages, killed again and again, are each counted once`, async () => {
  const data = await mkdtemp(join(tmpdir(), 'tidemark-kill-'))
  const startMs = Date.now() - 2 * 3_600_000
  const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, MESSAGES_EACH))
  const hits: Record<Target, number> = { tick: 0, seal: 0, publish: 0 }
  const counted = new Set<string>()
  let kills = 0
  let up = await startUp(data, UP)
  for (const sender of senders) sender.connect(up.collector.port)
  const isSatisfied = () => kills >= KILLS_MIN && Object.values(hits).every((n) => n >= HITS_EACH)
  const pace = pacer(senders, () => (isSatisfied() ? 1 : kills / (KILLS_MIN + 4)))
  try {
    while (!isSatisfied() && kills < KILLS_MAX) {
      const target = (Object.keys(TARGETS) as Target[]).sort((a, b) => hits[a] - hits[b])[0]!
      await until(() => senders.every(({ connected }) => connected))
      await newFile(data, TARGETS[target])
      for (const sender of senders) sender.send(5)
      const inFlight = senders.reduce((sum, { inFlight }) => sum + inFlight, 0)
      up.child.kill('SIGKILL')
      await up.end('SIGKILL')
      kills += 1
      expect(inFlight, 'unacknowledged lines in flight at the kill').toBeGreaterThan(0)
      for (const hit of await interrupted(data, counted)) hits[hit] += 1
      up = await startUp(data, UP)
      for (const sender of senders) sender.connect(up.collector.port)
    }
    console.log(`kill: ${kills} kills, of them between file and commit: ${JSON.stringify(hits)}`)
    expect(hits.tick).toBeGreaterThanOrEqual(HITS_EACH)
    expect(hits.seal).toBeGreaterThanOrEqual(HITS_EACH)
    expect(hits.publish).toBeGreaterThanOrEqual(HITS_EACH)
    await until(() => senders.every(({ done }) => done))
    expect(senders.flatMap(({ errors }) => errors)).toEqual([])
    await checkAnswers(up, startMs)
    expect(await up.end('SIGTERM')).toBe(0)
    await checkTables(data, startMs)
  } catch (error) {
    console.log(up.output().split('\n').slice(-20).join('\n'))
    throw error
  } finally {
    pace.stop()
    for (const sender of senders) sender.close()
    await up.end('SIGKILL')
    await rm(data, { recursive: true, force: true })
  }
}, 400_000)

/** Sends steadily, so that lines are always in flight, and no more than a share of all until the kills are done. */
function pacer(senders: readonly LoadSender[], share: () => number): { stop(): void } {
  const timer = setInterval(() => {
    for (const sender of senders) {
      const allowed = share() * MESSAGES_EACH
      sender.send(share() === 1 ? 1_000 : sender.sent < allowed ? 100 : 2)
    }
  }, 20)
  return { stop: () => clearInterval(timer) }
}

/** Resolves as soon as a table gets a new data file. */
function newFile(data: string, table: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(join(data, 'lake'), { recursive: true }, (_event, name) => {
      if (!name?.startsWith(`${table}/`) || !name.endsWith('.parquet') || name.includes('_delta_log')) return
      watcher.close()
      resolve()
    })
  })
}

async function lake(data: string) {
  const store = await localStore(nodeDisk(), join(data, 'lake'), nodeRandom())
  const deps = { store, clock: nodeClock(), random: nodeRandom() }
  return { store, table: (name: string) => openTable(name, deps) }
}

/** What the dead process had begun: tables with a data file, written last, that no version names. */
async function interrupted(data: string, counted: Set<string>): Promise<Target[]> {
  const { store, table } = await lake(data)
  const found: Target[] = []
  for (const [target, name] of Object.entries(TARGETS) as [Target, string][]) {
    const snapshot = await table(name).snapshot()
    const objects = await store.list(`${name}/`)
    const commits = objects.filter(({ key }) => key.includes('/_delta_log/') && key.endsWith('.json'))
    const lastCommitMs = Math.max(0, ...commits.map(({ modifiedMs }) => modifiedMs))
    for (const { key, modifiedMs } of objects) {
      const path = key.slice(name.length + 1)
      if (key.includes('/_delta_log/') || snapshot?.files.has(path)) continue
      if (modifiedMs < lastCommitMs || counted.has(key)) continue
      // A merge writes files of messages as well; only a seal's hold blocks that are not covered yet.
      if (target === 'seal') {
        const { offset } = await decodeMessages(host, (await store.get(key))!)
        if (Math.max(...offset) <= (coveredPosition(snapshot)[0] ?? -1)) continue
      }
      counted.add(key)
      found.push(target)
      break
    }
  }
  return found
}

/** What all messages fold to, minute by minute. */
function expectedCells(startMs: number): CellFold {
  const cells = new CellFold(serviceMinute)
  for (let sender = 1; sender <= SENDERS; sender++) {
    const all = Array.from({ length: MESSAGES_EACH }, (_, i) => {
      return { ...loadMessage(startMs, sender, i + 1), agent: `load-${sender}`, seq: i + 1 }
    })
    cells.addAll(hostColumns(all))
  }
  return cells
}

async function checkAnswers(up: Running, startMs: number): Promise<void> {
  const range = `from=${startMs - 86_400_000}&to=${startMs + 86_400_000}`
  const answer = async () =>
    (await fetch(`${up.serving}/v1/analytics?${range}`)).json() as Promise<{ services: Stats[] }>
  await until(
    async () =>
      (await answer()).services.reduce((sum, { messages }) => sum + messages, 0) >= SENDERS * MESSAGES_EACH,
  )
  const { services } = await answer()
  const expected = expectedCells(startMs)
  const keys = [...expected.keys()]
  expect(services.map(({ service }) => service)).toEqual(keys.map(({ key }) => key).sort())
  for (const stats of services) {
    const { service } = stats
    const whole = new CellFold(serviceMinute)
    whole.merge(expected.range(service, 0, Number.MAX_SAFE_INTEGER), { bucketMs: WHOLE, key: service })
    expect(stats.messages).toBe(whole.summary(service)!.messages)
    expect(stats.complete).toBe(true)
    const want = answersOf(whole.cells(), 0)
    serviceMinute.gauges.forEach(({ gauge }, g) => {
      const got = stats[gauge as 'cpu']
      for (const [i, { name, type }] of answerFields(serviceMinute, g).entries()) {
        const value = got[name as keyof Figures]
        const wanted = want[g]![i]
        if (name === 'total' || name === 'mean')
          expect(close(value as number, wanted as number), `${service} ${gauge} ${name}`).toBe(true)
        else expect(type === 'timestamp' ? Date.parse(value as string) : value).toBe(wanted)
      }
    })
  }
}

type Figures = { total: number; mean: number; max: number; max_time: string; max_host: string }
type Stats = { service: string; messages: number; complete: boolean } & Record<
  'cpu' | 'ram' | 'disk',
  Figures
>

async function checkTables(data: string, startMs: number): Promise<void> {
  const expected = expectedCells(startMs).cells()
  expect((await runCommand(['batch', '--once', '--data', data])).code).toBe(0)
  sameCells(await publishedCells(data), expected)
  expect((await runCommand(['batch', '--once', '--full', '--data', data])).code).toBe(0)
  sameCells(await publishedCells(data), expected)
  if (!hasDeltaRs) return
  const rows = await readWithDeltaRs<{ agent: string; seq: number }>(join(data, 'lake', MESSAGES), [
    'agent',
    'seq',
  ])
  expect(rows).toHaveLength(SENDERS * MESSAGES_EACH)
  expect(new Set(rows.map(({ agent, seq }) => `${agent}/${seq}`)).size).toBe(SENDERS * MESSAGES_EACH)
  const minutes = await readWithDeltaRs<{ msg_num: number }>(join(data, 'lake', serviceMinute.name), [
    'msg_num',
  ])
  expect(minutes.reduce((sum, row) => sum + row.msg_num, 0)).toBe(SENDERS * MESSAGES_EACH)
}

async function publishedCells(data: string): Promise<Cells> {
  const table = (await lake(data)).table(serviceMinute.name)
  const cells = new CellFold(serviceMinute)
  for (const file of (await table.snapshot())!.files.values()) {
    cells.merge(await decodeCells(serviceMinute, await table.readFile(file)))
  }
  return cells.cells()
}

/** All but the totals is equal, totals to 1e-9. */
function sameCells(got: Cells, want: Cells): void {
  expect(exactRows(got)).toEqual(exactRows(want))
  for (let i = 0; i < got.length; i++) {
    const wanted = answersOf(want, i)
    for (const [g, answer] of answersOf(got, i).entries()) {
      const total = answerFields(serviceMinute, g).findIndex(({ name }) => name === 'total')
      if (!close(answer[total] as number, wanted[g]![total] as number))
        expect(answer[total]).toBe(wanted[g]![total])
    }
  }
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error('it did not happen within two minutes')
    await wait(50)
  }
}

test('a second process is refused and told who has the data directory; a stop is clean within 5 s', async () => {
  const data = await mkdtemp(join(tmpdir(), 'tidemark-stop-'))
  try {
    const up = await startUp(data, ['--agent-interval', '100ms'])
    const second = await runCommand(['up', '--data', data])
    expect(second.code).toBe(1)
    expect(second.err).toContain(`process ${up.child.pid}`)
    const before = Date.now()
    expect(await up.end('SIGINT')).toBe(0)
    expect(Date.now() - before).toBeLessThan(5_000)
    await expect(readFile(join(data, 'addresses.json'))).rejects.toThrow(/ENOENT/)
    // A killed process leaves a lock behind that nobody holds.
    await (await startUp(data)).end('SIGKILL')
    expect(await (await startUp(data)).end('SIGTERM')).toBe(0)
  } finally {
    await rm(data, { recursive: true, force: true })
  }
})
