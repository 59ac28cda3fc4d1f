import { expect, test } from 'vitest'
import { EventParser } from '../../pages/api/event-stream.ts'
import { type Cell, keyId, type View } from '../../pages/api/types.ts'
import { Moves } from '../../pages/live/moves.ts'
import { finerOf, liveRows } from '../../pages/live/rows.ts'

const STREAM =
  'retry: 1000\nevent: begin\ndata: {}\n\nevent: cells\r\ndata: {"a":1}\n\nid: e-7\nevent: cells\ndata: {"b":2}\n\n: nothing\n\nid: e-9\n: nothing new\n\nid: e-10\nevent: cells\ndata: {"c"'

test('a stream of events is read however it is cut; an event that is not whole gives no id', () => {
  for (let size = 1; size < 40; size += 3) {
    const events: string[] = []
    const parser = new EventParser('', { event: (name, data) => void events.push(`${name} ${data}`) })
    for (let at = 0; at < STREAM.length; at += size) parser.push(STREAM.slice(at, at + size))
    expect(events).toEqual(['begin {}', 'cells {"a":1}', 'cells {"b":2}'])
    expect(parser.lastId).toBe('e-9')
  }
})

const view = (name: string, key: string[], more: object = {}): View =>
  ({ name, dataset: 'host', key, bucket_ms: 60_000, gauges: [CPU], ...more }) as unknown as View
const CPU = { name: 'cpu', unit: '%', optional: false }
const service = view('service_minute', ['service'])
const host = view('host_minute', ['service', 'host'])
const TIME = '2026-11-22T12:00:00.000Z'
const cell = (names: object, messages = 1, mean = 1, time_stamp = TIME): Cell => ({
  ...names,
  time_stamp,
  messages,
  cpu: { mean },
})
const newest = (of: View, ...cells: Cell[]) =>
  new Map(cells.map((one) => [keyId(of.key.map((column) => String(one[column]))), one]))

test('the finer view has the same dataset, bucket and first columns of the key', () => {
  const others = [
    view('host_day', ['service', 'host'], { bucket_ms: 86_400_000 }),
    view('h', ['host', 'service']),
  ]
  expect(finerOf(service, [service, ...others, host])).toBe(host)
  expect(finerOf(host, [service, host])).toBe(null)
  expect(finerOf(service, [view('scores', ['service', 'x'], { dataset: 'scores' })])).toBe(null)
})

test('hosts stand below their service; search finds either; what is old is left out', () => {
  const old = '2026-11-22T11:50:00.000Z'
  const coarse = newest(
    service,
    cell({ service: 'web' }),
    cell({ service: 'db' }),
    cell({ service: 'old' }, 1, 1, old),
  )
  const fine = newest(
    host,
    cell({ service: 'web', host: 'web-10' }),
    cell({ service: 'web', host: 'web-2' }),
    cell({ service: 'db', host: 'x' }),
  )
  const rows = (part: string) =>
    liveRows(
      { view: service, newest: coarse },
      { view: host, newest: fine },
      { part, sinceMs: Date.parse(TIME) },
    ).map(({ names, isFine }) => `${isFine ? '- ' : ''}${names.join()}`)
  expect(rows('')).toEqual(['db', '- x', 'web', '- web-2', '- web-10'])
  expect(rows('web-2')).toEqual(['web', '- web-2'])
  expect(rows('db')).toEqual(['db', '- x'])
  expect(rows('zzz')).toEqual([])
})

test('what moved is told with the mean of what came, not with that of the minute', () => {
  const moves = new Moves(CPU)
  const id = keyId(['web'])
  moves.look(newest(service, cell({ service: 'web' }, 10, 20)), 0)
  expect(moves.of(id)).toBe(undefined)
  const second = newest(service, cell({ service: 'web' }, 12, 25))
  moves.look(second, 1_000)
  moves.look(second, 2_000)
  expect(moves.of(id)).toEqual({ changedMs: 1_000, values: [50] })
  moves.look(newest(service, cell({ service: 'web' }, 3, 7, '2026-11-22T12:01:00.000Z')), 3_000)
  expect(moves.of(id)).toEqual({ changedMs: 3_000, values: [50, 7] })
})
