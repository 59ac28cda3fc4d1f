import { expect, test } from 'vitest'
import { type Correction, correct, correctedBy } from '../../lake/correct.ts'
import { openTable } from '../../lake/delta/table.ts'
import { decodeMessages } from '../../lake/parquet/messages.ts'
import { host } from '../../schemas/datasets/host.ts'
import { stringAt } from '../../schemas/string-column.ts'
import { simRandom } from '../sim/random.ts'
import { erasingRig } from './erase/rig.ts'

const TIME_MS = Date.UTC(2026, 10, 22, 9, 30)

const one = (
  row: number,
  names: readonly string[],
  cpu: number,
  also: Partial<Correction> = {},
): Correction => ({
  row,
  names,
  timeMs: TIME_MS,
  gauges: [cpu, 20, 30],
  attributes: [],
  agent: null,
  seq: null,
  ...also,
})

async function rig() {
  const lake = await erasingRig()
  const messages = openTable('messages', { store: lake.store, clock: lake.clock, random: simRandom(9) })
  const deps = { dataset: host, messages, clock: lake.clock, signal: new AbortController().signal }
  return {
    lake,
    messages,
    make: (corrections: readonly Correction[], sha256 = 'a', isDry = false) =>
      correct(corrections, { name: 'f.csv', sha256, isDry }, deps),
    /** Per message its host, cpu and place in the log. */
    async rows(version?: number) {
      const all: string[] = []
      const snapshot = version === undefined ? (await messages.snapshot())! : await messages.at(version)
      for (const file of snapshot.files.values()) {
        const { columns, partition, offset, index } = await decodeMessages(
          host,
          await messages.readFile(file),
        )
        for (let i = 0; i < columns.length; i++)
          all.push(
            `${stringAt(columns.names[1]!, i)} ${columns.gauges[0]![i]} ${partition[i]}/${offset[i]}/${index[i]}`,
          )
      }
      return all.sort()
    },
  }
}

test('a corrected message keeps its place, and the run that follows equals one over everything', async () => {
  const { lake, messages, make, rows } = await rig()
  await using _ = lake
  await lake.send('web', ['a', 'b'], TIME_MS)
  await lake.run()
  const before = (await messages.snapshot())!.version
  expect(await make([one(1, ['web', 'a'], 77)], 'a', true)).toMatchObject({ rows: 1, files: 1, refused: [] })
  expect((await messages.snapshot())!.version).toBe(before)
  expect(await make([one(1, ['web', 'a'], 77)])).toMatchObject({ rows: 1, refused: [] })
  expect(await rows()).toEqual(['a 77 0/0/0', 'b 2 0/0/1'])
  expect(await rows(before)).toEqual(['a 1 0/0/0', 'b 2 0/0/1'])
  expect(correctedBy(await messages.snapshot(), 'a')).toBe(1)
  await lake.run()
  const cells = await lake.cells()
  expect(
    JSON.stringify(cells, (_key, value) => (typeof value === 'bigint' ? Number(value) : value)),
  ).toContain('77')
  await lake.run(true)
  expect(await lake.cells()).toEqual(cells)
  expect(await lake.hosts()).toEqual({ a: 1, b: 1 })
})

test('rows that name none, several, one twice or another date are refused by number, and the others made', async () => {
  const { lake, make, rows } = await rig()
  await using _ = lake
  await lake.send('web', ['a'], TIME_MS)
  await lake.send('web', ['a'], TIME_MS)
  await lake.send('web', ['b'], TIME_MS)
  await lake.run()
  const made = await make([
    one(1, ['web', 'a'], 50),
    one(2, ['web', 'nobody'], 50),
    one(3, ['web', 'b'], 50),
    one(4, ['web', 'b'], 51),
    one(5, ['web', 'b'], 52, { timeMs: TIME_MS + 1 }),
  ])
  expect(made).toEqual({
    rows: 1,
    files: 1,
    refused: [
      { row: 1, why: 'names 2 messages' },
      { row: 2, why: 'names no message' },
      { row: 4, why: 'names the same message as row 3' },
      { row: 5, why: 'names no message' },
    ],
  })
  expect(await rows()).toEqual(['a 1 0/0/0', 'a 1 0/1/0', 'b 50 0/2/0'])
})
