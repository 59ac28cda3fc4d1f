import { expect, test } from 'vitest'
import { CellFold } from '../../schemas/cell-fold.ts'
import { joinRows, pickKey, rowAt, timesOf } from '../../schemas/cells.ts'
import { joinKey } from '../../schemas/key.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { hostColumns } from '../sim/messages.ts'

test('the rows of a key are those of all of its parts, and none where it has other parts', () => {
  const fold = new CellFold(hostMinute)
  const message = (host: string, timeMs: number) => ({ service: 'web', host, timeMs, gauges: [1, 2, 3] })
  fold.addAll(hostColumns([message('a', 0), message('b', 60_000), message('b', 120_000)]))
  const timesUnder = (...parts: string[]) => [...timesOf(pickKey(fold.cells(), joinKey(parts)))]
  expect(timesUnder('web', 'b')).toEqual([60_000, 120_000])
  expect(timesUnder('web')).toEqual([])
  expect(timesUnder('web', 'c')).toEqual([])
  expect(timesUnder('web', 'b', 'c')).toEqual([])
})

test('rows of several cells joined are those rows behind each other', () => {
  const cellsOf = (host: string, minutes: readonly number[]) => {
    const fold = new CellFold(serviceMinute)
    const messages = minutes.flatMap((minute) => [
      { service: 'web', host, timeMs: minute * 60_000, gauges: [minute, 2, 3] },
      { service: 'web', host: `${host}-2`, timeMs: minute * 60_000 + 1, gauges: [90, minute / 3, 3] },
    ])
    fold.addAll(hostColumns(messages))
    return fold.cells()
  }
  const [first, second] = [cellsOf('a', [1, 2, 3]), cellsOf('b', [4, 5, 6])]
  const joined = joinRows(serviceMinute, [
    { cells: first, from: 1, to: 3 },
    { cells: second, from: 0, to: 0 },
    { cells: second, from: 0, to: 2 },
  ])
  const rows = Array.from({ length: joined.length }, (_, i) => rowAt(joined, i))
  expect(rows).toEqual([rowAt(first, 1), rowAt(first, 2), rowAt(second, 0), rowAt(second, 1)])
  expect(joinRows(serviceMinute, [{ cells: first, from: 0, to: 3 }])).toBe(first)
  expect(joinRows(serviceMinute, []).length).toBe(0)
})
