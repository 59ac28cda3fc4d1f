import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cells, rowAt } from '../../schemas/cells.ts'
import { host } from '../../schemas/datasets/host.ts'
import { answersOf, type GaugeAnswer } from '../../schemas/gauge-answer.ts'
import type { Message } from '../../schemas/message.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import { defineView, type View } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import type { Parts, Stats } from '../../serving/answers.ts'
import { statsColumns } from '../../serving/http/columns.ts'
import { nastyMessages, scores } from '../schemas/nasty-messages.ts'
import { answersRig, foldOf } from './rig.ts'

const scoreMinute = defineView(scores, { name: 'score_minute', key: ['group', 'lunch'], quantiles: true })
const MINUTE_MS = 60_000
const START_MS = Date.UTC(2026, 10, 22, 9)
const RANGE = { fromMs: START_MS, toMs: START_MS + 3 * HOUR_MS }

/** A part of it that begins and ends within hours. */
const PART = { fromMs: START_MS + 20 * MINUTE_MS, toMs: START_MS + 2 * HOUR_MS + 10 * MINUTE_MS }

/** The messages of the parts of an answer, those of batch and those of speed. */
function sumOf({ files, ticks, open }: Parts): [number, number] {
  const sum = (of: readonly { readonly messages: number }[]) =>
    of.reduce((so, { messages }) => so + messages, 0)
  return [sum(files), sum(ticks) + sum(open)]
}

/** Sums of doubles differ in their last digits by order. */
const close = (value: unknown) =>
  typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(9)) : value

/** Of each key the values of one field, of stats of the whole view or of a narrower one. */
const fieldOf = (path: string, all: readonly Stats[]) =>
  all.map((stats) => {
    const column = statsColumns(stats.view).find((one) => one.path === path)!
    return [stats.key, stats.messages, stats.answeredBy, close(column.of(stats))]
  })

const rowsOf = (cells: Cells) => Array.from({ length: cells.length }, (_, i) => rowAt(cells, i).map(close))
const answersIn = (gauges: readonly GaugeAnswer[]) => gauges.map((gauge) => gauge.map(close))

for (const { dataset, view } of [
  { dataset: host, view: serviceMinute },
  { dataset: scores, view: scoreMinute },
]) {
  test(`${view.name} answers one fold over all layers, however messages are spread over them`, async () => {
    const layers = fc.tuple(nastyMessages(dataset), nastyMessages(dataset), nastyMessages(dataset))
    await fc.assert(
      fc.asyncProperty(layers, async ([batch, ticked, held]) => {
        await using rig = await answersRig(dataset, view)
        await rig.publish(batch, 3)
        await rig.tick(ticked, 3, 5)
        rig.hold(held, 5, 8)
        const all = [...batch, ...ticked, ...held]
        const oracle = foldOf(dataset, view, all)
        expect(rig.answers.keys(view.name).keys.map(({ key, messages }) => [key, messages])).toEqual(
          [...oracle.keys()]
            .map(({ key, messages }): [string, number] => [key, messages])
            .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        )
        const ofAll = (await rig.answers.analytics(view.name, RANGE)).stats
        expect(ofAll.map(({ key }) => key)).toEqual(rig.answers.keys(view.name).keys.map(({ key }) => key))
        for (const { path } of statsColumns(view)) {
          const { stats } = await rig.answers.analytics(view.name, RANGE, undefined, { path })
          expect(fieldOf(path, stats)).toEqual(fieldOf(path, ofAll))
        }
        for (const { key, messages } of oracle.keys()) {
          const own = ofAll.find((one) => one.key === key)!
          expect({ ...own, gauges: answersIn(own.gauges) }).toEqual({
            ...rig.answers.stats(view.name, key, RANGE),
            gauges: answersIn(rig.answers.stats(view.name, key, RANGE)!.gauges),
          })
          const cells = rig.answers.cells(view.name, key, RANGE)!
          expect(cells).toMatchObject({ complete: true, gaps: [] })
          expect(rowsOf(cells.cells)).toEqual(rowsOf(oracle.range(key, RANGE.fromMs, RANGE.toMs)))
          const stats = rig.answers.stats(view.name, key, RANGE)!
          expect(stats.messages).toBe(messages)
          expect(answersIn(stats.gauges)).toEqual(answersIn(wholeAnswer(dataset, view, all, key)))
          for (const range of [RANGE, PART]) {
            const whole = rig.answers.stats(view.name, key, range, true)!
            expect(sumOf(whole.parts!)).toEqual([whole.answeredBy.batch, whole.answeredBy.realtime])
            const byHour = rig.answers.series(view.name, key, range, HOUR_MS, true)!
            expect(sumOf(byHour.parts!)).toEqual(sumOf(whole.parts!))
          }
        }
      }),
      { numRuns: 40 },
    )
  })
}

/** The answer for `key` over all `messages`, folded into one day. */
function wholeAnswer(dataset: typeof host, view: View, messages: readonly Message[], key: string) {
  const cells = foldOf(dataset, { ...view, bucketMs: DAY_MS }, messages).range(key, 0, 2 * RANGE.toMs)
  return answersOf(cells, 0)
}

function messageAt(timeMs: number, cpu: number): Message {
  return { names: ['web', 'h'], timeMs, gauges: [cpu, 2, 3], agent: null, seq: null } as Message
}

/** A message a minute through `days` days. */
const minutesOf = (days: number) =>
  Array.from({ length: days * 1_440 }, (_, m) =>
    messageAt(START_MS - (START_MS % DAY_MS) + m * MINUTE_MS, m % 97),
  )

test('a range counts whole days, hours and minutes once each', async () => {
  await using rig = await answersRig(host, serviceMinute)
  const messages = minutesOf(3)
  await rig.publish(messages, 1)
  const first = messages[0]!.timeMs
  for (const [from, to] of [
    [0, 3 * 1_440],
    [1, 3 * 1_440 - 1],
    [61, 2 * 1_440 + 59],
    [1_439, 1_441],
    [10, 11],
    [5, 5],
    [-500, 9_999],
  ] as const) {
    const range = { fromMs: first + from * MINUTE_MS, toMs: first + to * MINUTE_MS }
    const expected = Math.max(0, Math.min(to, messages.length) - Math.max(from, 0))
    expect([from, to, rig.answers.stats('service_minute', 'web', range)!.messages]).toEqual([
      from,
      to,
      expected,
    ])
  }
})

test('minutes of dates that the index does not hold are read from the lake', async () => {
  await using rig = await answersRig(host, serviceMinute, { indexDays: 1 })
  const messages = minutesOf(3)
  await rig.publish(messages, 1)
  const first = messages[0]!.timeMs
  const range = { fromMs: first + 5 * MINUTE_MS, toMs: first + 2 * DAY_MS + 7 * MINUTE_MS }
  await rig.answers.reach('service_minute', range)
  expect(rig.answers.stats('service_minute', 'web', range)!.messages).toBe(2 * 1_440 + 2)
  await rig.answers.reach('service_minute', range, MINUTE_MS)
  expect(rig.answers.cells('service_minute', 'web', range)!.cells.length).toBe(2 * 1_440 + 2)
})

test('a key that nobody knows is unknown where nothing is missing, and not whole where something is', async () => {
  await using rig = await answersRig(host, serviceMinute)
  await rig.publish([messageAt(START_MS, 1)], 1)
  expect(rig.answers.stats('service_minute', 'other', RANGE)).toBe(null)
  // The log goes on, and speed does not continue what is published.
  rig.hold([], 7, 9)
  for (const ask of ['stats', 'cells'] as const)
    expect(rig.answers[ask]('service_minute', 'other', RANGE)).toMatchObject({ complete: false })
  expect(rig.answers.keys('service_minute')).toMatchObject({ complete: false })
  expect(await rig.answers.analytics('service_minute', RANGE)).toMatchObject({ complete: false })
})

test('a tick that cannot be read is a gap until it can; what follows it counts', async () => {
  await using rig = await answersRig(host, serviceMinute)
  await rig.publish([messageAt(START_MS, 1)], 1)
  const { objects } = rig.store
  const lost: [string, NonNullable<ReturnType<typeof objects.get>>][] = []
  rig.store.faults = ({ what, key }) => {
    if (what !== 'get' || lost.length > 0 || !/_ticks\/.*parquet$/.test(key)) return
    lost.push([key, objects.get(key)!])
    objects.delete(key)
  }
  await rig.tick([messageAt(START_MS, 2)], 1, 2)
  await rig.tick([messageAt(START_MS, 3)], 2, 3)
  const gap = { partition: 0, from: 1, to: 2, reason: expect.stringContaining('is missing') }
  expect(rig.answers.stats('service_minute', 'web', RANGE)).toMatchObject({
    messages: 2,
    complete: false,
    gaps: [gap],
  })
  objects.set(...lost[0]!)
  await rig.answers.refresh()
  expect(rig.answers.stats('service_minute', 'web', RANGE)).toMatchObject({ messages: 3, complete: true })
})

test('stats of some keys over whole days and parts of days are those of each alone', async () => {
  await using rig = await answersRig(host, serviceMinute)
  const services = ['a', 'b', 'd', 'e', 'ü', '𝄞']
  const first = START_MS - (START_MS % DAY_MS)
  // Not every service has messages on every day.
  const messages = services.flatMap((service, s) =>
    Array.from({ length: 40 }, (_, i) => ({
      ...messageAt(first + ((i * (s + 3)) % 90) * HOUR_MS + s, (i * 37) % 101),
      names: [service, `h-${i % 3}`],
    })),
  )
  await rig.publish(messages, 1)
  for (const keys of [services, ['b', 'e'], ['c', 'd', 'ü'], ['𝄞'], ['0', 'z']]) {
    for (const [from, to] of [
      [0, 4 * 24],
      [24, 48],
      [5, 3 * 24 + 7],
    ] as const) {
      const range = { fromMs: first + from * HOUR_MS, toMs: first + to * HOUR_MS }
      const alone = keys.flatMap((key) => rig.answers.stats(serviceMinute.name, key, range) ?? [])
      const { stats } = await rig.answers.analytics(serviceMinute.name, range, keys)
      expect(stats).toEqual(alone.filter((one) => one.messages > 0))
      for (const path of ['service', 'messages', 'cpu.mean', 'ram.max_host', 'disk.p99', 'none.p99']) {
        const narrow = await rig.answers.analytics(serviceMinute.name, range, keys, { path })
        if (path === 'none.p99') expect(narrow.stats).toEqual(stats)
        else expect(fieldOf(path, narrow.stats)).toEqual(fieldOf(path, stats))
      }
    }
  }
})

test('many ticks come one after the other, and what a version leaves of them is folded in parts', async () => {
  const ticksAt: number[] = []
  let watched: Awaited<ReturnType<typeof answersRig>> | null = null
  const pause = async () => {
    if (watched !== null) ticksAt.push(watched.answers.basis('service_minute').ticks.length)
  }
  await using rig = await answersRig(host, serviceMinute, { pause })
  watched = rig
  const many = (minute: number) =>
    Array.from({ length: 2_600 }, (_, i): Message => {
      const timeMs = START_MS + minute * MINUTE_MS
      return { names: [`service-${i}`, 'h'], timeMs, gauges: [1, 2, 3], agent: null, seq: null }
    })
  for (const n of [0, 1, 2]) await rig.tick(many(n), n, n + 1, { isSeen: false })
  await rig.publish(many(9).slice(0, 10), 0)
  expect(ticksAt).toEqual([1, 2])
  expect(rig.answers.stats('service_minute', 'service-7', RANGE)).toMatchObject({
    messages: 4,
    complete: true,
  })
  ticksAt.length = 0
  await rig.publish([...many(9).slice(0, 10), ...many(0).slice(0, 10)], 1)
  expect(ticksAt).toEqual([3, 3])
  expect(rig.answers.stats('service_minute', 'service-7', RANGE)).toMatchObject({
    messages: 4,
    answeredBy: { batch: 2, realtime: 2 },
    complete: true,
  })
})

test('speed may let go what the index holds, also where no question comes', async () => {
  await using rig = await answersRig(host, serviceMinute)
  await rig.tick([], -1, 5)
  expect(rig.askedFrom()).toBe(5)
  await rig.publish([], 7)
  expect(rig.askedFrom()).toBe(7)
})
