import { expect, test } from 'vitest'
import { CellFold } from '../../schemas/cell-fold.ts'
import { pickKey, timesOf } from '../../schemas/cells.ts'
import { joinKey } from '../../schemas/key.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
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
