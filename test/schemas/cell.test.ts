import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addMessage,
  answerOf,
  type Cell,
  CellMap,
  emptyCell,
  joinKey,
  mergeInto,
  splitKey,
} from '../../schemas/cell.ts'
import { type Message, messageAt, toColumns } from '../../schemas/message.ts'
import { compareUtf8 } from '../../schemas/utf8.ts'
import { cellToValues, valuesToCell, viewColumns } from '../../schemas/view-table.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { close } from '../simulator/oracle.ts'

/** Few values, times and hosts, so that everything ties. */
const message: fc.Arbitrary<Message> = fc.record({
  service: fc.constant('web'),
  host: fc.constantFrom('h', 'h1', '\u{1F600}', '\uFFFD', 'é'),
  timeMs: fc.integer({ min: 0, max: 3 }),
  gauges: fc.array(fc.constantFrom(0, 1, 2.5, 1e15), { minLength: 3, maxLength: 3 }),
  agent: fc.constant(null),
  seq: fc.constant(null),
})
const messages = fc.array(message, { maxLength: 12 })

function fold(list: readonly Message[]): Cell {
  const cell = emptyCell(serviceMinute)
  const columns = toColumns(list)
  for (let i = 0; i < columns.length; i++) addMessage(cell, serviceMinute, columns, i)
  return cell
}

function merged(...cells: Cell[]): Cell {
  const into = emptyCell(serviceMinute)
  for (const cell of cells) mergeInto(into, cell)
  return into
}

function expectSame(a: Cell, b: Cell): void {
  expect([a.messages, a.max, a.maxTimeMs, a.maxHost]).toEqual([b.messages, b.max, b.maxTimeMs, b.maxHost])
  a.total.forEach((total, g) => {
    expect(close(total, b.total[g]!)).toBe(true)
  })
}

test('cells are a commutative monoid: any grouping and order of messages gives the same', () => {
  fc.assert(
    fc.property(messages, messages, messages, (a, b, c) => {
      const whole = fold([...a, ...b, ...c])
      expectSame(merged(fold(a), fold(b), fold(c)), whole)
      expectSame(merged(fold(c), merged(fold(b), fold(a))), whole)
      expectSame(merged(fold(a), emptyCell(serviceMinute)), fold(a))
    }),
  )
})

test('of equal maxima the earliest wins, at the same time the smaller host by its bytes', () => {
  const at = (timeMs: number, host: string) => ({ ...messageAt(toColumns([one]), 0), timeMs, host })
  const one: Message = { service: 's', host: 'h', timeMs: 0, gauges: [7, 7, 7], agent: null, seq: null }
  expect(answerOf(fold([at(5, 'a'), at(3, 'b')]), 0)).toMatchObject({ maxTimeMs: 3, maxHost: 'b' })
  expect(answerOf(fold([at(3, 'b'), at(3, 'a')]), 0)).toMatchObject({ maxTimeMs: 3, maxHost: 'a' })
  expect(answerOf(fold([at(3, '\u{1F600}'), at(3, '\uFFFD')]), 0).maxHost).toBe('\uFFFD')
})

test('an empty cell answers null, not 0', () => {
  expect(answerOf(emptyCell(serviceMinute), 1)).toEqual({
    total: 0,
    mean: null,
    max: null,
    maxTimeMs: null,
    maxHost: null,
  })
})

test('names are ordered as their UTF-8 bytes are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
    }),
  )
})

test('a cell survives the way through the columns of its table', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (list) => {
      const row = { key: 'web', minuteMs: 60_000, cell: fold(list) }
      const values = cellToValues(serviceMinute, row)
      expect(values).toHaveLength(viewColumns(serviceMinute).length)
      expect(valuesToCell(serviceMinute, values)).toEqual(row)
    }),
  )
})

test('rows come by key, then by minute; minutes before 1970 too', () => {
  const cells = new CellMap(serviceMinute)
  const of = (service: string, timeMs: number) => ({
    service,
    host: 'h',
    timeMs,
    gauges: [1, 2, 3],
    agent: null,
    seq: null,
  })
  cells.addAll(toColumns([of('b', 60_000), of('a', 1), of('b', -1), of('a', 0)]))
  expect(cells.rows().map(({ key, minuteMs, cell }) => [key, minuteMs, cell.messages])).toEqual([
    ['a', 0, 2],
    ['b', -60_000, 1],
    ['b', 60_000, 1],
  ])
  expect(cells.size).toBe(3)
})

test('a key of several columns is taken apart as it was joined', () => {
  expect(splitKey(joinKey(['web', 'h 1']))).toEqual(['web', 'h 1'])
})
