import { expect, test } from 'vitest'
import { benchConnections, connectionsText } from '../../bench/connections/connections.ts'
import { benchSketches, sketchesText } from '../../bench/ingest/paired.ts'
import { benchPeers, peersText } from '../../bench/peers/compare.ts'
import { PEERS } from '../../bench/peers/peers.ts'
import { pathOf } from '../../bench/peers/version.ts'
import { benchSoak, soakText } from '../../bench/soak/soak.ts'
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
