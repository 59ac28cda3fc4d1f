import { expect, test } from 'vitest'
import { FILES_PER_STEP, isNothingNew, type PlanInput, planInSteps, planRun } from '../../batch/plan.ts'
import { chooseTidemark } from '../../batch/tidemark.ts'
import type { DataFile, Snapshot } from '../../lake/delta/port.ts'
import { messagesSchema, sealApp } from '../../lake/tables/messages.ts'
import { type ViewState, viewSchema } from '../../lake/tables/published.ts'
import type { Tick } from '../../lake/tables/ticks.ts'
import { host } from '../../schemas/datasets/host.ts'
import { definitionHash, definitionJson } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'

const HASH = definitionHash(serviceMinute)
const TICK_MS = 30_000
const CREATED_MS = 1_000_000

function file(path: string, date: string, hours: string, first: number, last: number): DataFile {
  const tags = { hours, offsets: JSON.stringify({ 0: [first, last] }) }
  return { path, size: 1, modifiedMs: 0, partition: { date }, rows: 10, min: {}, max: {}, nulls: {}, tags }
}

function messages(files: readonly DataFile[], covered: number, coveredMs: number): Snapshot {
  return {
    version: 7,
    timeMs: 0,
    schema: messagesSchema(host),
    configuration: { 'tidemark.created': String(CREATED_MS) },
    files: new Map(files.map((one) => [one.path, one])),
    txns: new Map([[sealApp(0), { version: covered, lastUpdatedMs: coveredMs }]]),
  }
}

const OLDER = {
  hash: definitionHash({ ...serviceMinute, measures: ['count', 'total'] }),
  definition: definitionJson({ ...serviceMinute, measures: ['count', 'total'] }),
}

function published(state: Partial<ViewState> | null, files: readonly DataFile[] = []): Snapshot {
  const whole = {
    tidemark: { 0: 4 },
    hash: HASH,
    definition: definitionJson(serviceMinute),
    messagesVersion: 6,
    dirtyHours: [],
    logTimeMs: { 0: CREATED_MS },
    gaps: [],
    run: 'r',
    ...state,
  }
  return {
    version: 1,
    timeMs: 0,
    schema: viewSchema(serviceMinute),
    configuration: state === null ? {} : { 'tidemark.view': JSON.stringify(whole) },
    files: new Map(files.map((one) => [one.path, one])),
    txns: new Map(),
  }
}

function tick(from: number, to: number, toMs: number): Tick {
  return { file: file(`t${to}`, '', '', 0, 0), hash: HASH, partition: 0, from, to, toMs, gaps: [] }
}

function input(over: Partial<PlanInput>): PlanInput {
  return {
    view: serviceMinute,
    messages: messages([], 9, CREATED_MS + 60_000),
    published: published(null),
    ticks: [],
    addedSince: [],
    messagesCommit: null,
    frozen: new Map(),
    removedDates: [],
    tickMs: TICK_MS,
    full: false,
    ...over,
  }
}

test('the tidemark is the greatest tick boundary at or below what is covered', () => {
  const ticks = [
    tick(-1, 3, CREATED_MS + 30_000),
    tick(3, 8, CREATED_MS + 60_000),
    tick(8, 12, CREATED_MS + 90_000),
  ]
  expect(chooseTidemark(input({ ticks })).tidemark).toEqual({ 0: 8 })
})

test('ticks of another definition, or behind a break in the chain, are no boundary', () => {
  const ticks = [
    { ...tick(-1, 5, CREATED_MS), hash: 'other' },
    tick(-1, 3, CREATED_MS + 30_000),
    tick(4, 8, CREATED_MS),
  ]
  expect(chooseTidemark(input({ ticks })).tidemark).toEqual({ 0: 3 })
})

test('ten ticks behind, speed is taken to be down and all that is covered counts', () => {
  const behind = (ms: number) =>
    input({ messages: messages([], 9, CREATED_MS + ms), ticks: [tick(-1, 3, CREATED_MS)] })
  expect(chooseTidemark(behind(10 * TICK_MS)).tidemark).toEqual({ 0: 3 })
  expect(chooseTidemark(behind(10 * TICK_MS + 1)).tidemark).toEqual({ 0: 9 })
})

test('the tidemark never goes back', () => {
  expect(chooseTidemark(input({ published: published({ tidemark: { 0: 11 } }) })).tidemark).toEqual({ 0: 11 })
})

test('a view that nothing published gets a tick boundary, although its ticks begin where the log was trimmed to', () => {
  const ticks = [tick(4, 6, CREATED_MS), tick(6, 8, CREATED_MS), tick(8, 30, CREATED_MS)]
  expect(chooseTidemark(input({ published: published(null), ticks })).tidemark).toEqual({ 0: 8 })
})

test('dirty are the hours touched since, and those that held rows above the old tidemark', () => {
  const old = file('old', '2026-11-21', '3', 0, 4)
  const added = file('new', '2026-11-22', '10', 5, 8)
  const plan = planRun(
    input({
      messages: messages([old, added], 9, CREATED_MS + 60_000),
      published: published({ dirtyHours: ['2026-11-21T23'] }, [file('base', '2026-11-21', '', 0, 0)]),
      addedSince: [added],
      ticks: [tick(4, 8, CREATED_MS + 60_000)],
    }),
  )
  expect(plan.dates.map(({ date, hours }) => [date, hours])).toEqual([
    ['2026-11-21', ['2026-11-21T23']],
    ['2026-11-22', ['2026-11-22T10']],
  ])
})

test('a file that reaches above the tidemark is read, and its hours are dirty again', () => {
  const straddling = file('new', '2026-11-22', '10,11', 5, 12)
  const plan = planRun(
    input({
      messages: messages([straddling], 12, CREATED_MS + 60_000),
      published: published({}),
      addedSince: [straddling],
      ticks: [tick(4, 8, CREATED_MS + 60_000)],
    }),
  )
  expect(plan.tidemark).toEqual({ 0: 8 })
  expect(plan.dates[0]!.maps).toEqual([{ files: [straddling] }])
  expect(plan.dirtyHours).toEqual(['2026-11-22T10', '2026-11-22T11'])
})

test('rows above the tidemark alone are nothing new', () => {
  const above = file('new', '2026-11-22', '10', 5, 8)
  const before = published({ dirtyHours: ['2026-11-22T09'] })
  const plan = planRun(
    input({ messages: messages([above], 8, CREATED_MS + 60_000), published: before, addedSince: [above] }),
  )
  expect(plan.dates).toEqual([])
  expect(isNothingNew(plan, before)).toBe(true)
})

test('a run does not publish over what a newer release means by a cell', () => {
  const base = file('base', '2026-11-19', '', 0, 0)
  const over = { published: published({ hash: '0123456789abcdef' }, [base]) }
  expect(() => planRun(input(over))).toThrow('means something that this release does not know')
})

test('a changed definition, a lost history or --full recompute every hour', () => {
  const only = file('f', '2026-11-20', '7', 0, 4)
  const base = file('base', '2026-11-19', '', 0, 0)
  const cases: Partial<PlanInput>[] = [
    { full: true },
    { addedSince: null },
    { published: published(OLDER, [base]) },
  ]
  for (const over of cases) {
    const plan = planRun(
      input({ messages: messages([only], 4, CREATED_MS), published: published({}, [base]), ...over }),
    )
    expect(plan.dates.map(({ date }) => date)).toEqual(['2026-11-19', '2026-11-20'])
    expect(plan.dates[1]!.hours).toEqual(['2026-11-20T07'])
  }
})

test('imported rows are published also where nothing was ever received', () => {
  const { tags, ...one } = file('i', '2026-11-22', '2026-11-22T10', 0, 9)
  const imported = { ...one, tags: { ...tags, offsets: JSON.stringify({ '-1': [0, 9] }) } }
  const never = { messages: messages([imported], -1, 0), published: published(null) }
  const plan = planRun(input(never))
  expect(plan.dates.map(({ date }) => date)).toEqual(['2026-11-22'])
  expect(isNothingNew(plan, never.published)).toBe(false)
  const empty = { messages: messages([], -1, 0), published: published(null) }
  expect(isNothingNew(planRun(input(empty)), empty.published)).toBe(true)
})

test('a table of years is planned in steps of a bounded number of files', () => {
  const dates = Array.from({ length: 400 }, (_, day) => new Date(Date.UTC(2025, 0, 1 + day)).toISOString())
  const files = dates.flatMap((date, day) =>
    Array.from({ length: 6 }, (_, n) => file(`${day}-${n}`, date.slice(0, 10), '3', day, day)),
  )
  let looked = 0
  const counted = files.map((one) => ({
    ...one,
    get tags() {
      looked += 1
      return one.tags
    },
  }))
  const steps = planInSteps(input({ messages: messages(counted, 400, CREATED_MS), addedSince: counted }))
  const perStep: number[] = []
  for (let step = steps.next(); ; step = steps.next()) {
    perStep.push(looked)
    looked = 0
    if (!step.done) continue
    expect(step.value.dates).toHaveLength(400)
    break
  }
  // Of each file its hours and its offsets are read.
  expect(perStep.length).toBeGreaterThan(files.length / FILES_PER_STEP)
  expect(Math.max(...perStep)).toBeLessThanOrEqual(2 * FILES_PER_STEP)
})
