import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { DataFile, Table } from '../../lake/delta/port.ts'
import { host } from '../../schemas/datasets/host.ts'
import { DAY_MS, utcDate } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import type { IndexLoader } from '../../serving/index/loader.ts'
import type { IndexedDate, ViewIndex } from '../../serving/index/view-index.ts'
import { OldMinutes } from '../../serving/old-minutes.ts'
import { foldOf } from './rig.ts'

const FIRST_MS = Date.UTC(2025, 0, 1)
/** More than are kept. */
const DATES = 20

const cellsOf = (day: number) =>
  foldOf(host, serviceMinute, [
    { names: ['web', 'h'], timeMs: FIRST_MS + day * DAY_MS, gauges: [1, 2, 3], agent: null, seq: null },
  ]).cells()

const dateOf = (day: number) =>
  ({
    date: utcDate(FIRST_MS + day * DAY_MS),
    path: String(day),
    file: { path: String(day) },
  }) as never as IndexedDate

test('questions about many old dates at once each have all of theirs', async () => {
  const table = {
    async readFile({ path }: DataFile) {
      await wait(1)
      return new TextEncoder().encode(path)
    },
  } as never as Table
  const loader = {
    decode: async (_view: unknown, bytes: Uint8Array) => cellsOf(Number(new TextDecoder().decode(bytes))),
  } as never as IndexLoader
  const old = new OldMinutes(loader)
  const ask = async (from: number) => {
    const dates = Array.from({ length: DATES }, (_, i) => dateOf(from + i))
    await old.read(table, { view: serviceMinute } as ViewIndex, dates)
    return dates.filter((date) => {
      const range = { fromMs: FIRST_MS, toMs: FIRST_MS + 10_000 * DAY_MS }
      const rows = old.rows(date, 'web', range)
      return rows !== null && rows.to > rows.from
    }).length
  }
  const found = await Promise.all([0, 100, 200, 10].map(ask))
  expect(found).toEqual([DATES, DATES, DATES, DATES])
})
