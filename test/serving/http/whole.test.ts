import { expect, test } from 'vitest'
import { logFacts, sealApp, withLogFacts } from '../../../lake/tables/messages.ts'
import { apiRig } from './rig.ts'

const DAY = 'from=2026-11-22&to=2026-11-23'
const PARTITION = 7

/** The API over a lake whose journal of partition 7 is gone, and with it whatever was not sealed. */
async function rigWithGap() {
  const rig = await apiRig()
  const { messages } = rig.tables.datasets[0]!
  const base = (await messages.snapshot())!
  const facts = { ...logFacts(base), closed: { [PARTITION]: 0 } }
  await messages.commit(base, {
    operation: 'CLOSE PARTITION',
    dataChange: false,
    configuration: withLogFacts(base, facts),
    txns: { [sealApp(PARTITION)]: { version: 0, lastUpdatedMs: rig.clock.nowMs() } },
  })
  await rig.answers.refresh()
  return rig
}

const LISTS = [
  '/v1/services?',
  '/v1/hosts?',
  `/v1/analytics?${DAY}`,
  `/v1/services/checkout/minutes?${DAY}`,
  '/v1/views/host_minute/keys?',
  `/v1/views/host_minute/analytics?${DAY}`,
  `/v1/views/host_minute/cells?${DAY}&service=checkout&host=web-1`,
]
const OTHERS = [
  `/v1/services/checkout/stats?${DAY}`,
  `/v1/services/checkout/series?${DAY}`,
  `/v1/views/host_minute/stats?${DAY}&service=checkout&host=web-1`,
  `/v1/views/service_minute/series?${DAY}&service=checkout`,
  `/v1/views/service_minute/series?${DAY}&limit=10`,
]

test('whatever is asked, an answer that may lack messages says so, and names what', async () => {
  await using rig = await rigWithGap()
  for (const url of [...LISTS, ...OTHERS]) {
    const { statusCode, body } = await rig.app.inject({ url })
    expect([url, statusCode]).toEqual([url, 200])
    expect(JSON.parse(body)).toMatchObject({ complete: false, gaps: [{ partition: PARTITION }] })
  }
})

test('a file says it in a header field', async () => {
  await using rig = await rigWithGap()
  for (const path of LISTS)
    for (const format of ['csv', 'parquet']) {
      const url = `${path}&format=${format}`
      const { statusCode, headers } = await rig.app.inject({ url })
      expect([url, statusCode, headers['tidemark-complete']]).toEqual([url, 200, 'false'])
    }
})

test('a service that nobody knows may be one whose messages are missing', async () => {
  await using rig = await rigWithGap()
  for (const what of ['stats', 'minutes', 'series']) {
    const { statusCode, body } = await rig.app.inject({ url: `/v1/services/unheard/${what}?${DAY}` })
    expect([what, statusCode, JSON.parse(body).complete]).toEqual([what, 200, false])
  }
})
