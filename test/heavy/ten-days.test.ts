import { expect, test } from 'vitest'
import { openReference } from '../../batch/engines/reference.ts'
import { startWriters } from '../../cli/compose/writers.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { allViews, lakeTables } from '../../lake/tables/deployment.ts'
import { RUNS } from '../../lake/tables/runs.ts'
import { ticksTable } from '../../lake/tables/ticks.ts'
import { openJournal } from '../../log/journal/journal.ts'
import { host } from '../../schemas/datasets/host.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { encodeBlock } from '../sim/blocks.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { hostColumns } from '../sim/messages.ts'
import { simRandom } from '../sim/random.ts'

const DAYS = 10
const START_MS = Date.UTC(2026, 0, 1)
/** Ten times the default, so that it takes a minute: the number of ticks that stay is stated per tick. */
const TICK_MS = 300_000
const SECONDS_PER_BLOCK = 30

const DEFINITIONS = { datasets: [host], views: [serviceMinute, hostMinute] }
const MESSAGES = messagesTable(host.name)
const VIEWS = DEFINITIONS.views.map(({ name }) => name)
const TICKS = DEFINITIONS.views.map(ticksTable)

/** The same for each of the names. */
function each(names: readonly string[], max: number): { [table: string]: number } {
  return Object.fromEntries(names.map((name) => [name, max]))
}

/**
 * Ten days of one message a second, a tick every five minutes and a run every hour, on a virtual clock. What stays: one file a
 * date of messages and of each view, a day's ticks, superseded files and table versions, and the run records.
 */
const FILES_MAX: { readonly [table: string]: number } = {
  // One a closed date, up to 8 small ones of today, and what a day's seals and merges superseded.
  [MESSAGES]: DAYS + 8 + 24 + 24 / 8 + 5,
  // One a date, and the versions of the last 24 hours.
  ...each(VIEWS, DAYS + 24 + 5),
  // A day of ticks; they are removed in rounds, and their files a day after.
  ...each(TICKS, (2 * DAY_MS) / TICK_MS + 100),
  [RUNS]: 32 + 24 + 5,
}
/** Commits of a day, those since the last checkpoint before it, and the checkpoints. */
const LOG_FILES_MAX: { readonly [table: string]: number } = {
  [MESSAGES]: 150,
  ...each(VIEWS, 80),
  ...each(TICKS, (DAY_MS / TICK_MS) * 1.2 + 100),
  [RUNS]: 80,
}
const JOURNAL_FILES_MAX = 6

test(`${DAYS} days leave a bounded number of files`, async () => {
  const clock = new SimClock(START_MS)
  const disk = new SimDisk(1)
  const store = new MemoryStore(clock)
  const random = simRandom(1)
  const wake = makeWake()
  const logLine = (line: string) => expect.fail(line)
  const tables = lakeTables(DEFINITIONS, (name) => openTable(name, { store, clock, random }))
  const log = await openJournal(
    { dir: '/journal', holder: 'ten days', floor: {}, segmentBytesMax: 64 << 10 },
    { disk, clock, random, logLine },
  )
  const { writer, speed, batch } = await startWriters(
    {
      tickMs: TICK_MS,
      retentionMs: DAY_MS,
      unsealedBytesMax: 1 << 30,
      named: {},
      schedule: '0 * * * *',
      engine: 'reference',
      isAlone: true,
    },
    {
      log,
      store,
      tables: { writer: tables, speed: tables, batch: tables },
      openEngine: openReference,
      clock,
      random,
      wake,
      logLine,
    },
  )

  let sent = 0
  for (let second = 0; second < (DAYS * DAY_MS) / 1000; second += SECONDS_PER_BLOCK) {
    const block = Array.from({ length: SECONDS_PER_BLOCK }, (_, i) => {
      const timeMs = START_MS + (second + i) * 1000
      return { service: 'web', host: 'h', timeMs, gauges: [i, 50, 70], agent: 'a', seq: ++sent }
    })
    await log.append(0, encodeBlock(hostColumns(block)))
    await clock.advance(SECONDS_PER_BLOCK * 1000)
  }
  await clock.advance(HOUR_MS)

  const counted: { [name: string]: number } = {}
  for (const [name, max] of Object.entries(FILES_MAX)) {
    const keys = (await store.list(`${name}/`)).map(({ key }) => key)
    const ofLog = keys.filter((key) => key.includes('/_delta_log/')).length
    counted[name] = keys.length - ofLog
    counted[`${name} log`] = ofLog
    expect(keys.length - ofLog, name).toBeLessThanOrEqual(max)
    expect(ofLog, `log of ${name}`).toBeLessThanOrEqual(LOG_FILES_MAX[name]!)
  }
  counted.journal = disk.paths().filter((path) => path.endsWith('.journal')).length
  console.log(`ten days: files left: ${JSON.stringify(counted)}`)
  expect(counted.journal).toBeLessThanOrEqual(JOURNAL_FILES_MAX)
  for (const { published } of allViews(tables)) {
    const files = [...(await published.snapshot())!.files.values()]
    expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe((DAYS * DAY_MS) / 60_000)
  }
  await batch.close()
  await speed.close()
  await writer.close()
  await log.close()
}, 300_000)
