import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCells, describeCells, encodeCells } from '../../lake/parquet/cells.ts'
import { decodeMessages } from '../../lake/parquet/messages.ts'
import { hourName, hourStartMs, hoursOf } from '../../lake/tables/hours.ts'
import { encodeSeal, mergeFiles } from '../../lake/writer/seal-files.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { rowAt } from '../../schemas/cells.ts'
import { host } from '../../schemas/datasets/host.ts'
import { toColumns } from '../../schemas/message.ts'
import { bucketStart, HOUR_MS, TIME_MS_MAX, TIME_MS_MIN } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'

/** Times of all years, around 1970, around midnight and at the ends. */
const time = fc.oneof(
  fc.integer({ min: TIME_MS_MIN, max: TIME_MS_MAX }),
  fc.integer({ min: -90_000_000, max: 90_000_000 }),
  fc.constantFrom(
    TIME_MS_MIN,
    TIME_MS_MAX,
    -1,
    0,
    Date.UTC(1969, 11, 31),
    Date.UTC(1900, 1, 28, 23, 59, 59, 999),
  ),
)
const times = fc.array(time, { minLength: 1, maxLength: 60 })

const blockOf = (list: readonly number[], offset: number) => ({
  partition: 0,
  offset,
  logTimeMs: 0,
  messages: toColumns(
    host,
    list.map((timeMs, i) => ({
      names: [`s${i % 2}`, `h${i % 3}`],
      timeMs,
      gauges: [i, 0, 100],
      agent: null,
      seq: null,
    })),
  ),
})
const seal = (list: readonly number[], offset: number) =>
  encodeSeal([{ dataset: host, after: -1 }], [{ block: blockOf(list, offset), rows: null }]).files
const dateOf = (timeMs: number) => new Date(timeMs).toISOString().slice(0, 10)

test('messages of the years 1 to 9999 are sealed by their date, with the hours and bounds that they have', async () => {
  await fc.assert(
    fc.asyncProperty(times, async (list) => {
      const found: number[] = []
      for (const { bytes, about } of seal(list, 0)) {
        const { columns } = await decodeMessages(host, bytes)
        const own = [...columns.timeMs]
        found.push(...own)
        expect(new Set(own.map(dateOf))).toEqual(new Set([about.partition.date]))
        const file = { ...about, path: '', size: 0, modifiedMs: 0, nulls: {}, tags: about.tags ?? {} }
        expect(hoursOf(file)).toEqual([...new Set(own.map(hourName))].sort())
        expect([about.min.time_stamp, about.max.time_stamp]).toEqual(
          [Math.min(...own), Math.max(...own)].map((ms) => new Date(ms).toISOString()),
        )
      }
      const sorted = (all: number[]) => [...all].sort((a, b) => a - b)
      expect(sorted(found)).toEqual(sorted(list))
    }),
    { numRuns: 100 },
  )
})

test('hours have names that sort by time, and lead back to it', () => {
  fc.assert(
    fc.property(time, time, (a, b) => {
      expect(hourStartMs(hourName(a))).toBe(bucketStart(a, HOUR_MS))
      if (bucketStart(a, HOUR_MS) < bucketStart(b, HOUR_MS)) expect(hourName(a) < hourName(b)).toBe(true)
    }),
  )
})

test('files of a date are merged in order of hour, names and time, whatever the year', async () => {
  const day = fc.tuple(
    fc.constantFrom(TIME_MS_MIN, Date.UTC(1969, 11, 31), 0, Date.UTC(9999, 11, 31)),
    fc.array(fc.nat(86_399_999), { minLength: 1, maxLength: 40 }),
  )
  await fc.assert(
    fc.asyncProperty(day, async ([startMs, within]) => {
      const list = within.map((ms) => startMs + ms)
      const files = [list.slice(0, 20), list.slice(20)].filter(({ length }) => length > 0)
      const bytes = files.map((part, i) => seal(part, i)[0]!.bytes)
      const merged = await mergeFiles(host, bytes, dateOf(startMs))
      const { columns } = await decodeMessages(host, merged.bytes)
      const rank = Array.from({ length: columns.length }, (_, i) => {
        const [service, source] = columns.names.map(({ dictionary, places }) => dictionary[places[i]!])
        const timeMs = columns.timeMs[i]!
        return `${hourName(timeMs)} ${service} ${source} ${String(timeMs - startMs).padStart(8, '0')}`
      })
      expect(rank).toEqual([...rank].sort())
      expect([...columns.timeMs].sort()).toEqual([...list].sort())
    }),
    { numRuns: 50 },
  )
})

test('cells of the years 1 to 9999 survive as a file, with times of maxima and bounds', async () => {
  await fc.assert(
    fc.asyncProperty(times, async (list) => {
      const fold = new CellFold(serviceMinute)
      fold.addAll(blockOf(list, 0).messages)
      const cells = fold.cells()
      const back = await decodeCells(serviceMinute, encodeCells(cells))
      const rows = (of: typeof cells) => Array.from({ length: of.length }, (_, i) => rowAt(of, i))
      expect(rows(back)).toEqual(rows(cells))
      const minutes = list.map((ms) => bucketStart(ms, 60_000))
      expect(describeCells(cells).min.time_stamp).toBe(new Date(Math.min(...minutes)).toISOString())
    }),
    { numRuns: 100 },
  )
})
