import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { CellFold } from '../../../schemas/cell-fold.ts'
import type { Cells } from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { toColumns } from '../../../schemas/message.ts'
import { HOUR_MS } from '../../../schemas/time.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { Filling } from '../../../serving/index/filling.ts'

const VIEW = serviceMinute.name
const DAY = Date.UTC(2026, 10, 22)

/** One message of each service an hour from `first` on, `hours` of them. */
function cellsOf(services: readonly string[], first: number, hours: number): Cells {
  const fold = new CellFold(serviceMinute)
  const messages = services.flatMap((service) =>
    Array.from({ length: hours }, (_, hour) => ({
      names: [service, 'h'],
      timeMs: DAY + (first + hour) * HOUR_MS + 1,
      gauges: [10.5, 20, 30],
      agent: null,
      seq: null,
    })),
  )
  fold.addAll(toColumns(host, messages))
  return fold.cells()
}

const file = (path: string, date: string) => ({ path, date, minutes: true })

test('what is known of a key is its first and last bucket and its messages', () => {
  const filling = new Filling(':memory:')
  filling.fill(file('a', '2026-11-22'), cellsOf(['web', 'shop'], 3, 5))
  filling.fill(file('b', '2026-11-23'), cellsOf(['web'], 24, 2))
  expect(filling.kept(VIEW, ['a', 'b']).keys).toEqual([
    { key: 'shop', firstMs: DAY + 3 * HOUR_MS, lastMs: DAY + 7 * HOUR_MS, messages: 5 },
    { key: 'web', firstMs: DAY + 3 * HOUR_MS, lastMs: DAY + 25 * HOUR_MS, messages: 7 },
  ])
  filling.close()
})

test('files that a version does not name do not count, and go', () => {
  const filling = new Filling(':memory:')
  filling.fill(file('old', '2026-11-22'), cellsOf(['web', 'gone'], 0, 5))
  filling.fill(file('new', '2026-11-22'), cellsOf(['web'], 0, 9))
  const { keys } = filling.kept(VIEW, ['new'])
  expect(keys.map(({ key, messages }) => [key, messages])).toEqual([['web', 9]])
  filling.dropOthers(VIEW, ['new'])
  expect([...filling.files(VIEW).keys()]).toEqual(['new'])
  filling.close()
})

test('no file gets the number of one that went', () => {
  const filling = new Filling(':memory:')
  filling.fill(file('a', '2026-11-22'), cellsOf(['web'], 0, 5))
  const { id } = filling.files(VIEW).get('a')!
  filling.dropOthers(VIEW, [])
  filling.fill(file('b', '2026-11-22'), cellsOf(['shop'], 0, 5))
  expect(filling.files(VIEW).get('b')!.id).not.toBe(id)
  filling.close()
})

test('a file that is filled again replaces what was there', () => {
  const filling = new Filling(':memory:')
  filling.fill({ ...file('a', '2026-11-22'), minutes: false }, cellsOf(['web'], 0, 2))
  filling.fill(file('a', '2026-11-22'), cellsOf(['web'], 0, 2))
  expect([...filling.files(VIEW).values()]).toMatchObject([{ date: '2026-11-22', minutes: true }])
  expect(filling.kept(VIEW, ['a']).keys).toMatchObject([{ key: 'web', messages: 2 }])
  filling.close()
})

test.for([
  'UPDATE known SET last = last - 3600000',
  'DELETE FROM known',
  "UPDATE file SET date = '2026-11-23'",
  'UPDATE file SET minutes = 0',
  'UPDATE file SET id = 7',
  'DELETE FROM file',
])('what is known of a file is refused when it is not what was written: %s', (change) => {
  const filling = new Filling(':memory:')
  filling.fill(file('a', '2026-11-22'), cellsOf(['web'], 0, 5))
  filling.db.prepare(change).run()
  expect(() => filling.kept(VIEW, ['a'])).toThrow('is damaged')
  filling.close()
})

test('a file is filled in steps, of which others see nothing until the last, and nothing where it is broken off', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-filling-'))
  const filling = new Filling(join(dir, 'index.db'))
  const other = new Database(join(dir, 'index.db'), { readonly: true })
  const seen = () => other.prepare('SELECT count(*) AS n FROM known').get()
  const cells = cellsOf(
    Array.from({ length: 100 }, (_, i) => `s-${i}`),
    0,
    1,
  )
  const broken = filling.fillInSteps(file('a', '2026-11-22'), cells)
  broken.next()
  broken.return(undefined)
  expect([...filling.files(VIEW)]).toEqual([])
  const met = Array.from(filling.fillInSteps(file('a', '2026-11-22'), cells), seen)
  expect(met).toEqual([{ n: 0 }, { n: 0 }, { n: 0 }])
  expect([seen(), filling.kept(VIEW, ['a']).keys.length]).toEqual([{ n: 100 }, 100])
  other.close()
  filling.close()
  await rm(dir, { recursive: true })
})
