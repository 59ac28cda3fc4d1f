import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { CellFold } from '../../schemas/cell-fold.ts'
import { MINUTE_MS } from '../../schemas/time.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { hostColumns } from '../sim/messages.ts'

const HOSTS = 10_000
const MINUTES = 2
/** What others of this process do meanwhile counts too; the least is that of the cells. */
const TRIES = 3
/** Fifteen numbers a cell are 120 bytes, its key and its place in the tables some more; arrays have up to twice the room. */
const CELL_BYTES_MAX = 380
/** An object a key or row would be several times that, and the garbage collector would visit it again and again. */
const HEAP_BYTES_MAX = 110

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Memory that an array gave up is counted until the collection behind the one that found it. */
function used() {
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, all: heapUsed + arrayBuffers }
}

test('the cells of ten thousand hosts are numbers in arrays', () => {
  const minute = (m: number) =>
    hostColumns(
      Array.from({ length: HOSTS }, (_, h) => {
        return { service: `service-${h % 20}`, host: `host-${h}`, timeMs: m * MINUTE_MS, gauges: [h, 2, 3] }
      }),
    )
  const measured = Array.from({ length: TRIES }, () => {
    const before = used()
    const fold = new CellFold(hostMinute)
    for (let m = 0; m < MINUTES; m++) fold.addAll(minute(m))
    const after = used()
    expect(fold.size).toBe(HOSTS * MINUTES)
    return { fold, all: (after.all - before.all) / fold.size, heap: (after.heap - before.heap) / fold.size }
  })
  expect(Math.min(...measured.map(({ all }) => all))).toBeLessThan(CELL_BYTES_MAX)
  expect(Math.min(...measured.map(({ heap }) => heap))).toBeLessThan(HEAP_BYTES_MAX)
  const { fold } = measured[0]!
  expect(fold.summary(`service-7\u001fhost-7`)?.messages).toBe(MINUTES)
})
