import { expect, test } from 'vitest'
import { decodeCells } from '../../lake/parquet/cells.ts'
import { viewState } from '../../lake/tables/published.ts'
import { messagesIn } from '../../schemas/cells.ts'
import { host } from '../../schemas/datasets/host.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { defineView, parseDefinition, type View } from '../../schemas/view.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { statsAsOf } from '../../serving/as-of.ts'
import { loadHere } from '../../serving/index/loader.ts'
import { expireOlder } from '../lake/expire-older.ts'
import { batchRig } from './rig.ts'

const OLD_MS = Date.UTC(2026, 10, 10, 9)
const TODAY_MS = Date.UTC(2026, 10, 22, 9)
const RANGE = { fromMs: OLD_MS - DAY_MS, toMs: TODAY_MS + DAY_MS }

const name = serviceMinute.name
const withoutDisk = defineView(host, { name, key: ['service'], gauges: ['cpu', 'ram'], quantiles: true })
const byHost = defineView(host, { name, key: ['service', 'host'] })
const scaled: View = {
  ...serviceMinute,
  gauges: serviceMinute.gauges.map((one) => (one.gauge === 'cpu' ? { ...one, scale: 10 } : one)),
}

/** Runs under another definition of the first view. */
async function runUnder(rig: Awaited<ReturnType<typeof batchRig>>, view: View) {
  const tables = rig.tables([view, hostMinute])
  const batch = await rig.batchOn(tables)
  const [record] = await batch.run({ full: false })
  await batch.close()
  const { published } = tables.datasets[0]!.views[0]!
  const snapshot = (await published.snapshot())!
  const cells = []
  for (const file of snapshot.files.values())
    cells.push(await decodeCells(view, await published.readFile(file)))
  const messages = cells.reduce((sum, one) => sum + messagesIn(one, 0, one.length), 0)
  return { record: record!, messages, gaps: viewState(snapshot)!.gaps, tables: tables.datasets[0]!.views[0]! }
}

test.each([
  { what: 'a gauge', view: withoutDisk, says: 'gauge disk went' },
  { what: 'the key', view: byHost, says: 'key service became service, host' },
  { what: 'a scale', view: scaled, says: 'the scale of cpu changed' },
])('a run says that $what changed, and that everything was recomputed', async ({ view, says }) => {
  await using rig = await batchRig()
  for (const timeMs of [OLD_MS, TODAY_MS]) await rig.send(timeMs)
  const [before] = await rig.batch.run({ full: false })
  expect(before!.report).toBeNull()
  const { record, messages, tables } = await runUnder(rig, view)
  expect(record).toMatchObject({ result: 'published', full: true, files: 2 })
  expect(record.report).toContain(`the definition changed from ${before!.definition} to ${record.definition}`)
  expect(record.report).toContain(`${says}: everything was recomputed`)
  expect(messages).toBe(2)
  expect((await rig.batch.runs())[0]!.report).toBe(record.report)

  // The version before stays as it was, by its own definition.
  const version = before!.viewVersion!
  const old = await tables.published.at(version)
  expect(parseDefinition(viewState(old)!.definition)).toEqual(serviceMinute)
  const loader = loadHere()
  await loader.open(':memory:')
  const asked = statsAsOf(tables, loader, { key: 'web', range: RANGE, asOf: { version } })
  if (view === byHost) await expect(asked).rejects.toThrow('is keyed by service, and not by service, host')
  else expect(await asked).toMatchObject({ messages: 2, view: serviceMinute, gaps: [] })
})

test('a definition that changed leaves frozen cells as they are, and says so', async () => {
  await using rig = await batchRig()
  for (const timeMs of [OLD_MS, TODAY_MS]) await rig.send(timeMs)
  await rig.batch.run({ full: false })
  await expireOlder(rig, 7)
  const same = await runUnder(rig, scaled)
  expect(same.record.report).toMatch(/everything was recomputed; 1 date of expired messages keep cells/)
  expect([same.messages, same.gaps]).toEqual([2, []])

  // Cells that do not fit are no part of the view, and its answers say what they lack.
  const other = await runUnder(rig, byHost)
  expect(other.record.report).toMatch(/cells of 1 date of expired messages do not fit/)
  expect(other.messages).toBe(1)
  expect(other.gaps).toMatchObject([
    {
      fromMs: Date.UTC(2026, 10, 10),
      toMs: Date.UTC(2026, 10, 11),
      reason: expect.stringContaining('are expired'),
    },
  ])
  // They are not lost: the definition that they are of has them again.
  const again = await runUnder(rig, serviceMinute)
  expect([again.messages, again.gaps]).toEqual([2, []])
})
