import { expect, test } from 'vitest'
import { type Cell, keyId, type Stats, type View } from '../../pages/api/types.ts'
import { type Known, lastText, rowsOf, sortValue, sparkMs } from '../../pages/home/rows.ts'
import { inHeldOrder } from '../../pages/names/sorting.ts'
import { lengthText } from '../../pages/time/words.ts'

const MINUTE_MS = 60_000
const NOW = Date.parse('2026-11-27T19:07:30Z')
const gauge = (name: string) => ({ name, unit: '%', optional: false })
const view = {
  name: 'service_minute',
  dataset: 'host',
  key: ['service'],
  source: 'host',
  bucket_ms: MINUTE_MS,
  gauges: [gauge('cpu'), gauge('disk')],
  measures: ['quantiles'],
} as unknown as View

const ago = (ms: number) => new Date(Math.floor((NOW - ms) / MINUTE_MS) * MINUTE_MS).toISOString()
const cell = (service: string, cpu: number, disk: number, pastMs = 0): Cell => ({
  service,
  time_stamp: ago(pastMs),
  messages: 3,
  cpu: { mean: cpu },
  disk: { mean: disk },
})
const week = (service: string) =>
  ({ service, cpu: { mean: 30, p95: 60 }, disk: { mean: 40, p95: 50 } }) as unknown as Stats
const byId = (...cells: Cell[]) => new Map(cells.map((one) => [keyId([String(one.service)]), one]))
const known = (more: Partial<Known>): Known => ({
  ...{ keys: [], day: [], week: [], hour: null, newest: new Map(), whole: new Map() },
  ...more,
})
const rowOf = (more: Partial<Known>) => rowsOf(view, known({ week: [week('a')], ...more }), NOW)[0]!

test('busy is what is high in any gauge by its own history, and the row says in which', () => {
  const states = [cell('a', 50, 45), cell('a', 61, 45), cell('a', 50, 51)].map((one) => {
    const { state, busy } = rowOf({ newest: byId(one) })
    return [state, ...busy]
  })
  expect(states).toEqual([
    ['ok', false, false],
    ['busy', true, false],
    ['busy', false, true],
  ])
})

test('a disk that fills steadily is always at its highest, and not busy for that', () => {
  const disk = { mean: 10.6, p95: 12.3 }
  const stateAt = (now: number, unit: string) => {
    const gauges = [gauge('cpu'), { ...gauge('disk'), unit }]
    const all = known({
      week: [{ ...week('a'), disk } as unknown as Stats],
      newest: byId(cell('a', 50, now)),
    })
    return rowsOf({ ...view, gauges }, all, NOW)[0]!.state
  }
  expect([stateAt(12.4, '%'), stateAt(15.7, '%'), stateAt(12.4, 'GiB')]).toEqual(['ok', 'busy', 'busy'])
})

test('a minute that has just begun makes nothing busy: the one before is judged', () => {
  const before = byId(cell('a', 50, 45, MINUTE_MS))
  expect(rowOf({ newest: byId(cell('a', 99, 45)), whole: before }).state).toBe('ok')
  // One of long ago tells nothing.
  expect(rowOf({ newest: byId(cell('a', 99, 45)), whole: byId(cell('a', 1, 1, 9 * MINUTE_MS)) }).state).toBe(
    'busy',
  )
})

test('what fell silent leads, then what is busy; what has been silent for days comes last', () => {
  const keys = [
    ['ok', 0],
    ['old', 3 * 24 * 60],
    ['busy', 0],
    ['fell', 20],
  ].map(([service, minutes]) => ({
    service: service as string,
    first_minute: ago(1e9),
    last_minute: ago((minutes as number) * MINUTE_MS),
    messages: 1,
  }))
  const newest = byId(cell('ok', 30, 40), cell('busy', 90, 40))
  const rows = rowsOf(view, known({ keys, newest, week: ['ok', 'busy'].map(week) }), NOW)
  const order = [...rows].sort((a, b) => Number(sortValue(a, 'state')) - Number(sortValue(b, 'state')))
  expect(order.map(({ text }) => text)).toEqual(['fell', 'busy', 'ok', 'old'])
  expect(order.filter(({ fell }) => fell).map(({ text }) => text)).toEqual(['fell'])
})

test('the last message is now, or so long ago; of longer cells it is known no closer', () => {
  const past = (ms: number, bucket_ms = MINUTE_MS) => lastText(NOW - ms, { bucket_ms } as View, NOW)
  expect([past(90_000), past(4 * MINUTE_MS), past(2 * 3_600_000)]).toEqual(['now', '4 min ago', '2 h ago'])
  expect([past(20 * MINUTE_MS, 3_600_000), past(2 * 3_600_000, 3_600_000)]).toEqual([
    ...['within 1 hour', '2 h ago'],
  ])
})

test('the line of the newest values says how long it is', () => {
  expect([MINUTE_MS, 3_600_000].map((bucket_ms) => lengthText(sparkMs({ bucket_ms } as View)))).toEqual([
    ...['1 hour', '30 hours'],
  ])
})

test('rows stay where they are held, new ones come last', () => {
  const rows = ['c', 'new', 'a', 'b'].map((id) => ({ id }))
  expect(inHeldOrder(rows, ['a', 'b', 'gone', 'c']).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'new'])
})
