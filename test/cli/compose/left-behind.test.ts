import { expect, test } from 'vitest'
import { openReference } from '../../../batch/engines/reference.ts'
import { bringLeftBehind } from '../../../cli/compose/left-behind.ts'
import { startWriters } from '../../../cli/compose/writers.ts'
import { openTable } from '../../../lake/delta/table.ts'
import { decodeParquet } from '../../../lake/parquet/codec.ts'
import { guarded } from '../../../lake/store/guarded.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { agentsInLake } from '../../../lake/tables/agents.ts'
import { allViews, lakeTables } from '../../../lake/tables/deployment.ts'
import { namePartitions, readNamedPosition } from '../../../lake/tables/named-position.ts'
import { encodeHere } from '../../../lake/writer/seal-files.ts'
import { openJournal } from '../../../log/journal/journal.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { makeWake } from '../../../schemas/ports/wake.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { startAnswers } from '../../../serving/answer.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { hostColumns } from '../../sim/messages.ts'
import { simRandom } from '../../sim/random.ts'

const START_MS = Date.UTC(2026, 10, 22, 10)
const DAY_MS = 86_400_000
const DIR = '/journal'

/** A lake, and those who own it one after the other, each with a data directory of its own. */
function lake(seed = 1) {
  const clock = new SimClock(START_MS)
  const random = simRandom(seed)
  const store = new MemoryStore(clock)
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)

  /** What `up` does once it has the lease. */
  async function own(disk: SimDisk) {
    let isDead = false
    const mine = guarded(store, () => (isDead ? 'the lease is lost' : null))
    const definitions = { datasets: [host], views: [serviceMinute] }
    const tables = lakeTables(definitions, (name) => openTable(name, { store: mine, clock, random }))
    const messages = tables.datasets.map((dataset) => dataset.messages)
    const named = await readNamedPosition({ messages, views: allViews(tables) })
    const deps = { disk, clock, random, logLine }
    const journalAt = { dir: DIR, floor: named.position }
    const brought = await bringLeftBehind(journalAt, { ...deps, tables, encoder: encodeHere })
    const journal = await openJournal(
      {
        ...journalAt,
        holder: 'a test',
        segmentBytesMax: 1_000,
        fenceLake: () => named.fence(),
        agentsInLake: () => agentsInLake(messages, logLine),
      },
      deps,
    )
    const wake = makeWake()
    const writers = await startWriters(
      {
        tickMs: 30_000,
        retentionMs: DAY_MS,
        unsealedBytesMax: 1 << 30,
        named: named.position,
        schedule: null,
        engine: 'reference',
        isAlone: true,
      },
      {
        ...{ store: mine, log: journal, openEngine: openReference, ...deps, wake },
        tables: { writer: tables, speed: tables, batch: tables },
      },
    )
    await namePartitions(messages[0]!, journal.partitions(), clock.nowMs())
    const { partition } = journal
    return {
      partition,
      brought,
      /** What its collector would tell an agent. */
      welcome: (agent: string) => journal.senders.highestSeq(agent),
      /** Messages in a block of their own, numbered where there is an agent. */
      send(seqs: readonly number[], agent: string | null = 'a') {
        const rows = seqs.map((seq) => ({
          ...{ service: 'web', host: 'h', timeMs: START_MS - 60_000 + seq, gauges: [seq, 1, 1] },
          ...(agent !== null && { agent, seq }),
        }))
        return journal.append(partition, encodeBlock(hostColumns(rows)))
      },
      seal: () => writers.writer.seal(),
      tick: () => clock.advance(31_000),
      run: () => writers.batch.run({ full: false }),
      async answer() {
        const config = { tickMs: 30_000, indexPath: ':memory:', indexDays: 1_000 }
        const shared = { tables, openCells: writers.speed, ...deps, wake: makeWake() }
        const answers = await startAnswers(config, shared)
        try {
          const range = { fromMs: START_MS - DAY_MS, toMs: START_MS + DAY_MS }
          const found = answers.stats('service_minute', 'web', range)!
          return { messages: found.messages, lacks: [...new Set(found.gaps.map((gap) => gap.partition))] }
        } finally {
          await answers.close()
        }
      },
      /** Stops in the middle of whatever it does, and may do nothing to the lake any more. */
      async die() {
        isDead = true
        for (const layer of [writers.speed, writers.batch, writers.writer, journal])
          await layer.close().catch(() => {})
        disk.crash('process')
      },
    }
  }

  /** `agent/seq` of every message in the lake. */
  async function stored(): Promise<string[]> {
    const table = openTable('messages', { store, clock, random })
    const all: string[] = []
    for (const file of (await table.snapshot())!.files.values()) {
      const { agent, seq, cpu } = await decodeParquet(await table.readFile(file), ['agent', 'seq', 'cpu'])
      agent!.forEach((id, i) => void all.push(`${id ?? 'none'}/${id === null ? cpu![i] : seq![i]}`))
    }
    return all.sort()
  }

  return { own, stored, lines }
}

type Owner = Awaited<ReturnType<ReturnType<typeof lake>['own']>>

test('what an owner had acknowledged and not sealed when another took the lake over comes with its return', async () => {
  const { own, stored } = lake()
  const [mine, theirs] = [new SimDisk(1), new SimDisk(2)]
  const first = await own(mine)
  await first.send([1, 2])
  await first.run()
  await first.send([3, 4])
  await first.tick()
  await first.send([5])
  await first.send([1], null)
  await first.die()

  const second = await own(theirs)
  // The acknowledgement of 5 was lost.
  expect(second.welcome('a')).toBe(2)
  await second.send([5, 6])
  await second.run()
  expect(await second.answer()).toEqual({ messages: 4, lacks: [0] })
  await second.send([7])
  await second.die()

  const third = await own(mine)
  expect([first.partition, second.partition, third.partition]).toEqual([0, 1, 2])
  // The third block is in the lake as the other's.
  expect(third.brought).toBe(2)
  expect(third.welcome('a')).toBe(6)
  expect((await third.answer()).lacks).toEqual([0, 1])
  await third.run()
  expect(await stored()).toEqual(['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'a/6', 'none/1'])
  // What the second holds is missing yet.
  expect(await third.answer()).toEqual({ messages: 7, lacks: [1] })
  await third.die()

  const fourth = await own(theirs)
  await fourth.run()
  // The third acknowledged nothing, but that is known to itself alone.
  expect(await fourth.answer()).toEqual({ messages: 8, lacks: [2] })
  await fourth.die()
})

test('a journal that is older than what the lake names leaves a gap where it ends', async () => {
  const { own, stored } = lake()
  const mine = new SimDisk(1)
  const first = await own(mine)
  await first.send([1])
  await first.seal()
  await first.send([2])
  const copy = mine.paths().map((path) => [path, mine.bytesOf(path).slice()] as const)
  await first.send([3])
  await first.send([4])
  await first.tick()
  await first.die()
  await (await own(new SimDisk(2))).die()
  const older = new SimDisk(3)
  for (const [path, bytes] of copy) older.put(path, bytes)
  const third = await own(older)
  await third.run()
  expect(await stored()).toEqual(['a/1', 'a/2'])
  expect(await third.answer()).toEqual({ messages: 2, lacks: [0, 1] })
  await third.die()
})

/** An agent that sends in order what is not acknowledged, to whoever owns the lake. */
class Agent {
  readonly id: string
  made = 0
  acked = 0

  constructor(id: string) {
    this.id = id
  }

  async deliver(to: Owner, count: number, isHeard: boolean): Promise<void> {
    this.made += count
    this.acked = Math.max(this.acked, to.welcome(this.id))
    const seqs = Array.from({ length: this.made - this.acked }, (_, i) => this.acked + 1 + i)
    for (let i = 0; i < seqs.length; i += 2) await to.send(seqs.slice(i, i + 2), this.id)
    if (isHeard) this.acked = this.made
  }
}

test('whoever owns the lake when, every message counts once when each owner has come back', async () => {
  for (let seed = 1; seed <= 15; seed++) {
    const { own, stored } = lake(seed)
    const dice = simRandom(seed)
    const below = (n: number) => Math.floor(dice.float() * n)
    const disks = [1, 2, 3].map((n) => new SimDisk(seed * 10 + n))
    const agents = ['a', 'b'].map((id) => new Agent(id))
    let unnumbered = 0
    let owner = await own(disks[0]!)
    for (let step = 0; step < 40; step++) {
      const what = below(10)
      if (what < 5) await agents[below(2)]!.deliver(owner, below(4), below(3) > 0)
      else if (what === 5) await owner.send([++unnumbered], null)
      else if (what === 6) await owner.seal()
      else if (what === 7) await owner.tick()
      else if (what === 8) await owner.run()
      else {
        await owner.die()
        owner = await own(disks[below(3)]!)
      }
    }
    const partitions: number[] = []
    for (const disk of disks) {
      await owner.seal()
      await owner.die()
      owner = await own(disk)
      partitions.push(owner.partition)
    }
    for (const agent of agents) await agent.deliver(owner, 0, true)
    await owner.run()
    const expected = agents.flatMap(({ id, made }) =>
      Array.from({ length: made }, (_, i) => `${id}/${i + 1}`),
    )
    for (let i = 1; i <= unnumbered; i++) expected.push(`none/${i}`)
    expect([seed, await stored()]).toEqual([seed, expected.sort()])
    // What the first two began now they alone know to be empty.
    const answer = { messages: expected.length, lacks: partitions.slice(0, 2) }
    expect([seed, await owner.answer()]).toEqual([seed, answer])
    await owner.die()
  }
}, 60_000)
