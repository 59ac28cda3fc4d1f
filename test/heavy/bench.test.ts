import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { benchConnections, connectionsText } from '../../bench/connections/connections.ts'
import { benchDistributed } from '../../bench/distributed/distributed.ts'
import { distributedText } from '../../bench/distributed/text.ts'
import { benchSketches, sketchesText } from '../../bench/ingest/paired.ts'
import { benchStorage, storageText } from '../../bench/lake/storage.ts'
import { benchPages, pagesText } from '../../bench/pages/pages.ts'
import { benchPeers, peersText } from '../../bench/peers/compare.ts'
import { PEERS } from '../../bench/peers/peers.ts'
import { pathOf } from '../../bench/peers/version.ts'
import { benchServing } from '../../bench/serving/serving.ts'
import { servingText } from '../../bench/serving/text.ts'
import { benchSoak, soakText } from '../../bench/soak/soak.ts'
import { hasBucketServer } from './bucket-server.ts'
import { hasBrowser } from './chromium.ts'
import { kafkaFound, LIB } from './kafka/brokers.ts'
import { needs } from './needs.ts'

/** The benchmarks that start processes, small: so they do not rot. */
const FAST = ['--speed-tick', '1s']

const missing = PEERS.filter(({ program }) => pathOf(program) === null).map((peer) => peer.package)
test.runIf(needs(`the peers of the benchmark (${missing.join(', ')})`, missing.length === 0))(
  'the peers benchmark runs small and says what it measured',
  async () => {
    const result = await benchPeers(3, 100, FAST)
    for (const { sent } of result.measured) expect(sent.acknowledged).toBeGreaterThan(0)
    expect(peersText(result)).toMatch(
      /cores.*Node v[\s\S]*VictoriaMetrics[\s\S]*it \/ append = \d[\s\S]*InfluxDB/,
    )
  },
)

test('the benchmark of storage runs small, and says what each takes', async () => {
  const startMs = Date.UTC(2026, 10, 22)
  const result = await benchStorage({ hosts: 10, services: 2, hours: 2, startMs }, 100, [])
  expect(result.values).toBe(10 * 2 * 360 * 3)
  const [sealed, compacted, plain] = result.stored.map(({ bytes }) => bytes) as [number, number, number]
  expect(compacted).toBeLessThan(sealed)
  expect(compacted).toBeLessThan(plain)
  expect(storageText(result)).toMatch(/cores.*Node v[\s\S]*compacted .* MiB, [\d.]+ bytes a value \(budget/)
})

test('the serving benchmark runs small over messages that a run computes', async () => {
  const size = { services: 2, days: 1, each: 4, seconds: 0.1, straight: false, rate: 0 }
  const result = await benchServing(size, () => {})
  expect(result.cells).toBeGreaterThanOrEqual(2 * 1_440)
  expect(result.published).toMatchObject({
    full: true,
    queries: expect.toSatisfy((count: number) => count > 0),
  })
  expect(servingText(result)).toMatch(
    /analytics 1 d, a page.*budget[\s\S]*services, a page.*budget[\s\S]*hashes/,
  )
})

test('the connections benchmark runs small, and every message is counted once', async () => {
  const result = await benchConnections(50, 1, 60)
  expect(result.counted).toBe(50 * 61)
  expect(result.queries.failed).toBe(0)
  expect(connectionsText(result)).toMatch(/cores.*Node v[\s\S]*tidemark up[\s\S]*up \/ append/)
})

test('the soak benchmark runs small, with runs', async () => {
  const lines: string[] = []
  const result = await benchSoak(5, 2_000, 1, (line) => lines.push(line), FAST)
  expect(lines).toHaveLength(10)
  expect(result.runs.map((run) => run.result)).toContain('published')
  expect(soakText(result)).toMatch(/cores.*Node v[\s\S]*up \/ append[\s\S]*verdict/)
})

test('the sketches benchmark runs small: a pair of the same messages, with percentiles and without', async () => {
  const result = await benchSketches(2, 1)
  for (const rate of Object.values(result.pairs[0]!)) expect(rate).toBeGreaterThan(0)
  expect(sketchesText(result)).toMatch(/cores.*Node v[\s\S]*pair 1[\s\S]*with \/ without = \d.*budget ≥ 0.90/)
})

const hasProducer = needs(
  'kafka-tools (.ci/kafka installs it)',
  existsSync(join(LIB, 'kafka-tools-4.4.0.jar')),
)
test.runIf(kafkaFound() && hasProducer && needs('versitygw', hasBucketServer))(
  'the distributed benchmark runs small, over one broker',
  async () => {
    const result = await benchDistributed({
      ...{ brokers: 1, clients: ['platformatic'], counts: [1], seconds: 3 },
      ...{ rate: 2_000, tickMs: 1_000, requestSeconds: 6 },
    })
    expect(result.throughput[0]!.perSecond).toBeGreaterThan(0)
    expect(result.layers.unseen).toBe(0)
    expect(Object.values(result.layers.us).every((us) => us > 0)).toBe(true)
    expect(result.requests.layers.serve!.list).toBeGreaterThan(0)
    expect(distributedText(result)).toMatch(
      /producer-performance[\s\S]*collectors \/ producer = \d[\s\S]*1,000,000 hosts/,
    )
  },
)

test.skipIf(!hasBrowser)('the benchmark of pages runs small, and says how soon they paint', async () => {
  const result = await benchPages(30, 1)
  expect(result.bytes).toBeGreaterThan(10_000)
  for (const { rowsMs } of [result.load, result.floor]) expect(rowsMs).toBeGreaterThan(0)
  expect(pagesText(result)).toMatch(
    /30 services.*Node v[\s\S]*first load.*budget[\s\S]*page \/ floor[\s\S]*one state alone/,
  )
})
