import { expect, test } from 'vitest'
import { LakeQueries } from '../../../lake/query/queries.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'

/** DuckDB computes it before it looks whether it is to stop. */
const DEAF = "SELECT levenshtein(repeat('a', 18000), repeat('b', 18000))"
const TIME_MS = 30_000

const ask = (sql: string) => ({ sql, asOf: null })

function queries(clock: SimClock) {
  const random = { float: () => 0, hex: () => '0' }
  const deps = {
    clock,
    random,
    disk: new SimDisk(1),
    scratchDir: 'scratch',
    reads: null,
    removeTree: async () => {},
  }
  return new LakeQueries([], { timeMs: TIME_MS, memoryBytes: 2 ** 28, rowsMax: 10 }, deps)
}

test('a query that DuckDB does not end is answered soon after its time, and keeps its place until it ends', async () => {
  const clock = new SimClock(0)
  const asked = queries(clock)
  const stopping = new AbortController()
  const free = new AbortController().signal
  const late = asked.run(ask(DEAF), free).catch((error) => error)
  const stopped = asked.run(ask(DEAF), stopping.signal).catch((error) => error)
  await expect.poll(() => clock.pending).toBe(2)
  stopping.abort()
  await clock.advance(TIME_MS + 1_500)
  expect([(await late).code, (await stopped).code]).toEqual(['E_QUERY_LIMIT', 'E_CANCELLED'])
  await expect(asked.run(ask('SELECT 1'), free)).rejects.toThrow(/at work already/)
  await expect
    .poll(
      () =>
        asked.run(ask('SELECT 1'), free).then(
          (answer) => answer.columns.length,
          () => 0,
        ),
      {
        timeout: 60_000,
      },
    )
    .toBe(1)
}, 90_000)
